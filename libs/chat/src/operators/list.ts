import type { OperatorAction, OperatorActionItem, User } from '@flotilla/protocol'
import type { OperatorsContext } from './context.ts'
import { behind, decodePlace, type PageOf, pageMax, type PageWanted, placeOf, toPage } from '../store/paging.ts'
import { get } from '../users/get.ts'

export interface ActionFilter {
  readonly user?: string | undefined
  readonly operator?: string | undefined
  readonly action?: OperatorAction | undefined
  readonly conversation?: string | undefined
}

interface Row {
  id: string
  at: number
  place: number
  operator_id: string | null
  program: string
  action: OperatorAction
  user_id: string | null
  conversation_id: string | null
  seq: number | null
  reason: string
  detail: Readonly<Record<string, string>>
}

const pageText = `
SELECT id, (extract(epoch FROM at) * 1000)::float8 AS at, ${placeOf('at')} AS place, operator_id, program, action, user_id,
       conversation_id, seq, reason, detail
  FROM operator_actions
 WHERE ($1::uuid IS NULL OR user_id = $1) AND ($2::uuid IS NULL OR operator_id = $2) AND ($3::text IS NULL OR action = $3)
   AND ($4::uuid IS NULL OR conversation_id = $4) AND ($5::int8 IS NULL OR ${behind('at', '$5', '$6')})
 ORDER BY at DESC, id DESC LIMIT $7`

/**
 * What operators did, the latest first. For operators alone: the caller sees to that.
 * @throws Refusal field_invalid when `after` is none of ours
 */
export async function list(
  ctx: OperatorsContext,
  filter: ActionFilter,
  input: PageWanted,
): Promise<PageOf<'actions', OperatorActionItem>> {
  const limit = Math.min(input.limit, pageMax)
  const after = input.after === undefined ? undefined : decodePlace(input.after)
  const { user, operator, action, conversation } = filter
  const { rows } = await ctx.pool.query<Row>(pageText, [
    user ?? null,
    operator ?? null,
    action ?? null,
    conversation ?? null,
    after?.at ?? null,
    after?.id ?? null,
    limit + 1,
  ])
  const ids = new Set(rows.flatMap(row => [row.user_id, row.operator_id].filter(id => id !== null)))
  const people = new Map((await get(ctx, [...ids])).map(one => [one.id, one]))
  return toPage('actions', rows, limit, row => toItem(row, people))
}

function toItem(row: Row, people: ReadonlyMap<string, User>): OperatorActionItem {
  const { id, at, program, action, conversation_id: conversation, seq, reason, detail } = row
  const operator = people.get(row.operator_id ?? '')
  const user = people.get(row.user_id ?? '')
  return {
    id,
    at: Math.round(at),
    ...(operator === undefined ? {} : { operator }),
    ...(program === '' ? {} : { program }),
    action,
    ...(user === undefined ? {} : { user }),
    ...(conversation === null ? {} : { conversation }),
    ...(seq === null ? {} : { seq }),
    reason,
    detail,
  }
}
