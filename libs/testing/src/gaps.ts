/** How long clients are without a connection, each time that they lose one. */
import type { Client } from '@flotilla/sdk'
import { watchAwake } from './awake.ts'

export interface Gaps {
  /** Milliseconds from the loss to the next `hello`, in which this process could run, in rising order. */
  readonly lengthsMs: readonly number[]
  /** Clients that are without a connection now. */
  readonly open: number
}

/** Begins to watch. @returns a function that tells what was seen so far */
export function watchGaps(clients: readonly Client[]): () => Gaps {
  const awake = watchAwake()
  const lostAt = new Map<Client, number>()
  const lengthsMs: number[] = []
  for (const client of clients)
    client.on('state', ({ name }) => {
      const since = lostAt.get(client)
      if (name !== 'live') lostAt.set(client, since ?? awake.ms())
      else if (since !== undefined) {
        lengthsMs.push(awake.ms() - since)
        lostAt.delete(client)
      }
    })
  return () => ({ lengthsMs: [...lengthsMs].sort((a, b) => a - b), open: lostAt.size })
}

/** The value that this share of the sorted numbers does not exceed. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}
