/**
 * Seats at something that costs the store much. Few are had at once, so that the pool is there for everybody else; one by
 * each person, so that nobody has all of them; and a bounded line waits.
 */
import { Refusal } from '@flotilla/protocol'
import { Lines } from './turns.ts'

export interface Seats {
  /** @throws Refusal rate_limited while another of this person is not done, overloaded, and whatever `work` throws */
  take<T>(person: string, work: () => Promise<T>): Promise<T>
}

const retryMs = 1_000
/** All stand in one line. */
const everybody = ''

export function createSeats(options: { readonly atOnceMax: number; readonly queueMax: number }): Seats {
  const lines = new Lines(options.atOnceMax, options.queueMax)
  const persons = new Set<string>()

  return {
    async take(person, work) {
      if (persons.has(person))
        throw new Refusal('rate_limited', 'your previous request is still in progress', { retryMs })
      persons.add(person)
      try {
        return await lines.run(everybody, work)
      } finally {
        persons.delete(person)
      }
    },
  }
}
