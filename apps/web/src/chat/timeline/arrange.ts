/**
 * Rows as they are drawn: where a day begins, which messages stand together, and where the unread ones begin. All of that is
 * part of the row below it and no row of its own, so that a page that is put before changes nothing between the rows there were.
 */
import type { Row } from '@flotilla/sdk/state'

export interface Placed {
  readonly key: string
  readonly row: Row
  /** The first row of its day: the day is written above it. */
  readonly startsDay: boolean
  /** The first unread row, as things stood when the conversation was opened. */
  readonly startsUnread: boolean
  /** The first of a group: it shows the name and the picture. */
  readonly first: boolean
  /** The last of a group: it shows the time. */
  readonly last: boolean
}

/** Messages of one person that are further apart stand by themselves. */
export const groupGapMs = 300_000

/**
 * Places rows. What is the same as before is the same object, so that a row that is drawn once is drawn again only where it has
 * changed.
 */
export class Arrangement {
  #placed = new WeakMap<Row, Placed>()

  /**
   * @param readSeq How far the reader had read when the conversation was opened; undefined draws no line.
   * @param hasOlder There are rows before these. What stands above the first of them is not known then, and would change under
   *   the eyes when they come: it is not drawn before.
   */
  place(all: readonly Row[], readSeq: number | undefined, hasOlder: boolean): readonly Placed[] {
    const rows = all.filter(saysSomething)
    const first = readSeq === undefined ? undefined : firstUnread(rows, readSeq)
    const unread = hasOlder && first === rows[0] ? undefined : first
    const placed = rows.map((row, nth) => {
      const before = rows[nth - 1]
      const after = rows[nth + 1]
      const startsUnread = row === unread
      return this.#keep({
        key: row.key,
        row,
        startsDay: before === undefined || !isSameDay(before.at, row.at),
        startsUnread,
        first: startsUnread || !standTogether(before, row),
        last: after === unread || !standTogether(row, after),
      })
    })
    return hasOlder && placed.length > 1 ? placed.slice(1) : placed
  }

  #keep(next: Placed): Placed {
    const known = this.#placed.get(next.row)
    const isSame =
      known?.startsDay === next.startsDay &&
      known.startsUnread === next.startsUnread &&
      known.first === next.first &&
      known.last === next.last
    if (isSame) return known
    this.#placed.set(next.row, next)
    return next
  }
}

/** That two people can talk to each other is no news: it would be an empty row under a day. */
const saysSomething = (row: Row): boolean =>
  row.kind === 'message' || row.entry.event !== 'conversation.created' || row.entry.kind === 'group'

function firstUnread(rows: readonly Row[], readSeq: number): Row | undefined {
  return rows.find(row => row.kind === 'message' && !row.own && row.seq !== undefined && row.seq > readSeq)
}

function standTogether(row: Row | undefined, next: Row | undefined): boolean {
  if (row?.kind !== 'message' || next?.kind !== 'message') return false
  return row.by === next.by && next.at - row.at < groupGapMs && isSameDay(row.at, next.at)
}

/** By the clock on the reader's wall. */
export function isSameDay(one: number, other: number): boolean {
  return startOfDay(one) === startOfDay(other)
}

export const startOfDay = (at: number): number => new Date(at).setHours(0, 0, 0, 0)
