/** Pages: in the order of a time, and of the id where times are the same; or of people, in the order of their ids. */
import { limits, Refusal } from '@flotilla/protocol'

/** Where a page ends. */
export interface TimePlace {
  /** Microseconds since 1970, so that a place is exact. */
  readonly at: number
  readonly id: string
}

/** A page of a list that is called `K`. */
export type PageOf<K extends string, T> = { readonly [key in K]: readonly T[] } & {
  /** For `after` of the next page; missing on the last one. */
  readonly next?: string
}

export interface PageWanted {
  readonly limit: number
  readonly after?: string | undefined
}

export const pageMax = 100
export const peoplePageMax = 200

/** A time as the `at` of a place. */
export const placeOf = (column: string) => `(extract(epoch FROM ${column}) * 1000000)::int8`
/** What is behind a place in a list whose latest comes first. */
export const behind = (column: string, at: string, id: string, idColumn = 'id') =>
  `(${column}, ${idColumn}) < (timestamptz 'epoch' + ${at}::int8 * interval '1 microsecond', ${id}::uuid)`

/** The same in a list whose oldest comes first. */
export const beyond = (column: string, at: string, id: string) =>
  `(${column}, id) > (timestamptz 'epoch' + ${at}::int8 * interval '1 microsecond', ${id}::uuid)`

export const encodePlace = ({ at, id }: TimePlace) => Buffer.from(`${at}/${id}`).toString('base64url')

const pattern = /^(\d{1,16})\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/

/** @throws Refusal field_invalid when it is none of ours */
export function decodePlace(cursor: string): TimePlace {
  const [, at, id] = pattern.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? []
  if (at === undefined || id === undefined) throw notOurs()
  return { at: Number(at), id }
}

const idPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The place of an item in a list in the order of ids. @throws Refusal field_invalid when it is none of ours */
export function decodeId(cursor: string): string {
  if (idPattern.test(cursor)) return cursor
  throw notOurs()
}

/** The place of an item in a list that is numbered, its highest number first. */
const numberPattern = /^[1-9]\d{0,15}$/

/** @throws Refusal field_invalid when it is none of ours */
export function decodeNumber(cursor: string): number {
  if (numberPattern.test(cursor)) return Number(cursor)
  throw notOurs()
}

export const notOurs = () =>
  new Refusal('field_invalid', 'after: must be `next` of a previous page', {
    field: 'after',
    rule: '`next` of a previous page',
  })

/** What a page takes besides its items: the names of its fields, and `next`. */
const pageFrameBytesMax = 256

/** The first items of a page that fit into an answer; the first one always does. */
export function fitting<T>(items: readonly T[]): readonly T[] {
  let left = limits.replyBytesMax - pageFrameBytesMax
  const end = items.findIndex((item, nth) => {
    left -= Buffer.byteLength(JSON.stringify(item)) + 1
    return left < 0 && nth > 0
  })
  return end < 0 ? items : items.slice(0, end)
}

/** Cuts what was read of people in the order of their ids, one more than the page holds, to the page. */
export function toPageOfPeople<K extends string, T extends { readonly user: { readonly id: string } }>(
  name: K,
  people: readonly T[],
  limit: number,
): PageOf<K, T> {
  const items = fitting(people.slice(0, limit))
  const page = { [name]: items } as { readonly [key in K]: readonly T[] }
  const last = items.at(-1)
  return people.length === items.length || last === undefined ? page : { ...page, next: last.user.id }
}

/** Cuts items of rows that are numbered, one more than the page holds, to the page. */
export function toNumberedPage<K extends string, T>(
  name: K,
  rows: readonly { readonly place: number }[],
  all: readonly T[],
  limit: number,
): PageOf<K, T> {
  const items = fitting(all.slice(0, limit))
  const page = { [name]: items } as { readonly [key in K]: readonly T[] }
  const last = rows[items.length - 1]
  return all.length === items.length || last === undefined ? page : { ...page, next: String(last.place) }
}

/** Cuts what was read, one row more than the page holds, to the page. */
export function toPage<K extends string, R extends { place: number; id: string }, T>(
  name: K,
  rows: readonly R[],
  limit: number,
  convert: (row: R) => T,
): PageOf<K, T> {
  const items = fitting(rows.slice(0, limit).map(convert))
  const page = { [name]: items } as { readonly [key in K]: readonly T[] }
  const last = rows[items.length - 1]
  return rows.length === items.length || last === undefined
    ? page
    : { ...page, next: encodePlace({ at: last.place, id: last.id }) }
}
