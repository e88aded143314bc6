/**
 * What waits in this process because clients do not read. Each connection has a limit of its own; this is the one of all
 * together, so that many slow readers, or people who never read at all, cannot take the memory of the others. It is counted
 * as it grows, not now and then: a group of 500 writes 12 MB with one long message.
 */
import type { Connection } from './connection.ts'

/** As much of a connection as is asked for here. */
export type Backlogged = Pick<Connection, 'open' | 'bufferedBytes' | 'stalledMs' | 'close' | 'cut'>

/** Once above the limit, so much of it stays: cutting one more at each look would go on for ever. */
const relievedShare = 0.8

export class Backlog<T extends Backlogged> {
  private readonly bytesMax: number
  private readonly stallMsMax: number
  /** With what waited for each when it was last looked at. Those that were closed stay until that has left. */
  private readonly behind = new Map<T, number>()
  private bytes = 0
  private cuts = 0

  /** @param stallMsMax how long a client may take nothing of what waits for it */
  constructor(bytesMax: number, stallMsMax: number) {
    this.bytesMax = bytesMax
    this.stallMsMax = stallMsMax
  }

  /** The kernel did not take everything that was written to it. @returns whether that is new */
  note(connection: T): boolean {
    const known = this.behind.get(connection)
    const buffered = connection.bufferedBytes()
    this.behind.set(connection, buffered)
    this.bytes += buffered - (known ?? 0)
    if (this.bytes > this.bytesMax) this.look()
    return known === undefined
  }

  /**
   * Closes those who do not read at all, and cuts those with the most until the rest fits, first of all those that are closed
   * already. They resume from their cursors.
   * @returns how many were cut since it was last asked
   */
  relieve(): number {
    this.look()
    const { cuts } = this
    this.cuts = 0
    return cuts
  }

  private look(): void {
    const stalled = [...this.behind.keys()].filter(one => one.stalledMs() > this.stallMsMax)
    for (const connection of stalled)
      if (connection.open) connection.close('slow_consumer')
      else connection.cut()
    this.bytes = 0
    for (const connection of this.behind.keys()) {
      const buffered = connection.bufferedBytes()
      this.bytes += buffered
      if (buffered === 0) this.behind.delete(connection)
      else this.behind.set(connection, buffered)
    }
    if (this.bytes <= this.bytesMax) return
    const byUse = ([one, ofOne]: readonly [T, number], [other, ofOther]: readonly [T, number]) =>
      Number(one.open) - Number(other.open) || ofOther - ofOne
    for (const [connection, buffered] of [...this.behind].toSorted(byUse)) {
      if (this.bytes <= this.bytesMax * relievedShare) break
      connection.cut()
      this.behind.delete(connection)
      this.bytes -= buffered
      this.cuts++
    }
  }
}
