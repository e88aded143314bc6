import type { ContactRequest, User } from '@flotilla/protocol'
import type { PeopleContext } from '../context.ts'
import { behind, decodePlace, type PageOf, pageMax, type PageWanted, placeOf, toPage } from '../../store/paging.ts'
import { get } from '../../users/get.ts'
import { type OpenRequest, requestColumns } from './befriend.ts'

export type RequestDirection = 'sent' | 'received'

const pageText = (column: string) => `
SELECT ${requestColumns}, ${placeOf('created_at')} AS place FROM contact_requests
 WHERE ${column} = $1 AND ($2::int8 IS NULL OR ${behind('created_at', '$2', '$3')})
 ORDER BY created_at DESC, id DESC LIMIT $4`

const texts = { sent: pageText('from_id'), received: pageText('to_id') }

/**
 * The open requests that the caller sent, or got, the latest first.
 * @throws Refusal field_invalid when `after` is none of ours
 */
export async function requests(
  ctx: PeopleContext,
  by: string,
  input: PageWanted & { readonly direction: RequestDirection },
): Promise<PageOf<'requests', ContactRequest>> {
  const limit = Math.min(input.limit, pageMax)
  const after = input.after === undefined ? undefined : decodePlace(input.after)
  const found = await ctx.pool.query<OpenRequest & { place: number }>({
    name: `contact-requests-${input.direction}`,
    text: texts[input.direction],
    values: [by, after?.at ?? null, after?.id ?? null, limit + 1],
  })
  const ids = new Set(found.rows.flatMap(row => [row.from_id, row.to_id]))
  const people = new Map((await get(ctx, [...ids])).map(user => [user.id, user]))
  return toPage('requests', found.rows, limit, row => toRequest(row, people))
}

/** Both people are there: the row of a request goes with theirs. */
function toRequest(row: OpenRequest, people: ReadonlyMap<string, User>): ContactRequest {
  const { id, from_id, to_id, note, at } = row
  return { id, from: people.get(from_id)!, to: people.get(to_id)!, note, at: Math.round(at) }
}
