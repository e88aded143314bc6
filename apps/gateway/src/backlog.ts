/**
 * What waits in this process because clients do not read. Each connection has a limit of its own; this is the one of all
 * together, so that many slow readers, or people who never read at all, cannot take the memory of the others.
 */
import type { Connection } from './connection.ts'

/** As much of a connection as is asked for here. */
export type Backlogged = Pick<Connection, 'open' | 'bufferedBytes' | 'close'>

/** Once above the limit, so much of it stays: closing one more at each look would go on for ever. */
const relievedShare = 0.8

export class Backlog<T extends Backlogged> {
  private readonly bytesMax: number
  private readonly behind = new Set<T>()

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
  }

  /** The kernel did not take everything that was written to it. */
  note(connection: T): void {
    this.behind.add(connection)
  }

  /**
   * Closes those with the most, until the rest fits. They resume from their cursors.
   * @returns how many
   */
  relieve(): number {
    let bytes = 0
    const waiting: { readonly connection: T; readonly buffered: number }[] = []
    for (const connection of this.behind) {
      const buffered = connection.open ? connection.bufferedBytes() : 0
      bytes += buffered
      if (buffered === 0) this.behind.delete(connection)
      else waiting.push({ connection, buffered })
    }
    if (bytes <= this.bytesMax) return 0
    let closed = 0
    for (const { connection, buffered } of waiting.toSorted((a, b) => b.buffered - a.buffered)) {
      if (bytes <= this.bytesMax * relievedShare) break
      connection.close('slow_consumer')
      this.behind.delete(connection)
      bytes -= buffered
      closed++
    }
    return closed
  }
}
