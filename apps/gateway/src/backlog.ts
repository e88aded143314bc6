/**
 * What waits in this process because clients do not read. Each connection has a limit of its own; this is the one of all
 * together, so that many slow readers, or people who never read at all, cannot take the memory of the others.
 */
import type { Connection } from './connection.ts'

/** As much of a connection as is asked for here. */
export type Backlogged = Pick<Connection, 'open' | 'bufferedBytes' | 'stalledMs' | 'close'>

/** Once above the limit, so much of it stays: closing one more at each look would go on for ever. */
const relievedShare = 0.8

export class Backlog<T extends Backlogged> {
  private readonly bytesMax: number
  private readonly stallMsMax: number
  private readonly behind = new Set<T>()

  /** @param stallMsMax how long a client may take nothing of what waits for it */
  constructor(bytesMax: number, stallMsMax: number) {
    this.bytesMax = bytesMax
    this.stallMsMax = stallMsMax
  }

  /** The kernel did not take everything that was written to it. @returns whether that is new */
  note(connection: T): boolean {
    const isNew = !this.behind.has(connection)
    this.behind.add(connection)
    return isNew
  }

  /**
   * Closes those who do not read at all, and those with the most, until the rest fits. They resume from their cursors.
   * @returns how many of those with the most
   */
  relieve(): number {
    let bytes = 0
    const waiting: { readonly connection: T; readonly buffered: number }[] = []
    for (const connection of this.behind) {
      if (connection.open && connection.stalledMs() > this.stallMsMax) connection.close('slow_consumer')
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
