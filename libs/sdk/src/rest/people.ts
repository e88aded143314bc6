/** Search for people. */
import type { Ask } from './ask.ts'

export const createPeople = (ask: Ask) => ({
  /**
   * By name, ignoring case and accents, or by exact email address: up to ten, best match first.
   * @param text 2 to 100 characters
   * @throws FlotillaError rate_limited
   */
  search: (text: string) => ask('GET /v1/people', { query: { q: text } }),
})
