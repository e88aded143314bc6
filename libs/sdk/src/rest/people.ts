/** Searching people. */
import type { Ask } from './ask.ts'

export const createPeople = (ask: Ask) => ({
  /**
   * By names, whatever the case and the accents, or by an exact address: ten at the most, the best first.
   * @param text 2 to 100 characters
   * @throws FlotillaError rate_limited
   */
  search: (text: string) => ask('GET /v1/people', { query: { q: text } }),
})
