/**
 * Seats at something that costs the store much. Few are had at once, so that the pool is there for everybody else; one by
 * each person, so that nobody has all of them; and a bounded queue waits.
 */
import { Refusal } from '@flotilla/protocol'

export interface Seats {
  /** @throws Refusal rate_limited while another of this person is not done, overloaded, and whatever `work` throws */
  take<T>(person: string, work: () => Promise<T>): Promise<T>
}

const retryMs = 1_000

export function createSeats(options: { readonly atOnceMax: number; readonly queueMax: number }): Seats {
  const waiting: (() => void)[] = []
  const persons = new Set<string>()
  let underWay = 0

  return {
    async take(person, work) {
      if (persons.has(person)) throw new Refusal('rate_limited', 'another one of yours is under way', { retryMs })
      if (underWay >= options.atOnceMax && waiting.length >= options.queueMax)
        throw new Refusal('overloaded', 'too many wait for a seat', { retryMs })
      persons.add(person)
      try {
        // A seat that gets free goes straight to the first who waits.
        if (underWay < options.atOnceMax) underWay++
        else await new Promise<void>(resolve => waiting.push(resolve))
        try {
          return await work()
        } finally {
          const next = waiting.shift()
          if (next === undefined) underWay--
          else next()
        }
      } finally {
        persons.delete(person)
      }
    },
  }
}
