/**
 * In which order connections write what is queued for them. All of it leaves in the turn of the loop in which it was queued,
 * unless that is more than a turn may take: then whoever has little goes first, and the rest goes on in the turns that follow,
 * each a piece at a time, with everything that comes in between. 400 long messages for 500 people, written in one go, kept a
 * node from all others for three seconds.
 *
 * A round that took long is followed by a rest of twice that time, in which more gathers for each connection: a write costs
 * some 5 µs, whatever it holds. A group of 1,000 with 32 messages under way gets 1.4 times the deliveries per CPU second by it
 * (with 4,096 characters at a time instead of 16,384 it would be 1.2), one with 8 of them 1.1, and neither gets them later. With
 * one under way, and for direct messages, rounds are too short for a rest.
 */
import { type Clock, systemClock } from '@flotilla/routing'
import type { Connection } from './connection.ts'

/** As much of a connection as is asked for here. */
export type Writer = Pick<Connection, 'flush' | 'waits'>

/** What one turn writes, in characters: of those with little, several hundred, and of those with much. */
const littleTurnCharsMax = 1_500_000
const muchTurnCharsMax = 300_000
/** A write costs as much as so many characters, however short it is. */
const writeChars = 2_000
/** What one connection writes at a time, one frame at the least: when it has little, and when it has much. */
const littleCharsMax = 16_384
const pieceCharsMax = 65_536
/** A round that is shorter is not followed by a rest, and no rest is longer. */
const roundMsMin = 1
const restMsMax = 40

export class Writing<T extends Writer> {
  private readonly little = new Line<T>()
  private readonly much = new Line<T>()
  private readonly heavy = new WeakSet<T>()
  private readonly clock: Pick<Clock, 'steady' | 'after'>
  private isAsked = false
  /** What the turns of this round have taken; a round is over when nobody waits. */
  private roundMs = 0
  private restsUntil = 0

  constructor(clock: Pick<Clock, 'steady' | 'after'> = systemClock) {
    this.clock = clock
  }

  /** Asks for the connection to write at the end of this turn of the loop. */
  add(connection: T): void {
    if (this.heavy.has(connection)) this.much.push(connection)
    else this.little.push(connection)
    this.ask()
  }

  private ask(): void {
    if (this.isAsked) return
    this.isAsked = true
    const restMs = this.restsUntil - this.clock.steady()
    if (restMs > 0) this.clock.after(restMs, this.turn)
    else setImmediate(this.turn)
  }

  private readonly turn = () => {
    this.isAsked = false
    const startedAt = this.clock.steady()
    this.write(this.little, littleCharsMax, littleTurnCharsMax)
    this.write(this.much, pieceCharsMax, muchTurnCharsMax)
    const now = this.clock.steady()
    this.roundMs += now - startedAt
    if (!this.little.isEmpty || !this.much.isEmpty) return this.ask()
    if (this.roundMs >= roundMsMin) this.restsUntil = now + Math.min(restMsMax, 2 * this.roundMs)
    this.roundMs = 0
  }

  private write(line: Line<T>, pieceMax: number, charsMax: number): void {
    let left = charsMax
    while (left > 0) {
      const connection = line.shift()
      if (connection === undefined) break
      const written = connection.flush(pieceMax)
      left -= written + writeChars
      if (connection.waits) this.much.push(connection)
      if (connection.waits || written > littleCharsMax) this.heavy.add(connection)
      else this.heavy.delete(connection)
    }
  }
}

/** First in, first out; an array that is shifted moves all that it holds. */
class Line<T> {
  private items: T[] = []
  private next = 0

  push(item: T): void {
    this.items.push(item)
  }

  shift(): T | undefined {
    const item = this.items[this.next++]
    if (this.next < this.items.length) return item
    this.items = []
    this.next = 0
    return item
  }

  get isEmpty(): boolean {
    return this.items.length === 0
  }
}
