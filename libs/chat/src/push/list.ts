/** The trace of each push from message to answer, for operators. Kept for a week (upkeep.ts). */
import type { TracedPush } from '@flotilla/protocol'
import type { PushContext } from './context.ts'
import { behind, decodePlace, type PageOf, pageMax, type PageWanted, placeOf, toPage } from '../store/paging.ts'
import type { DeliveryState } from './answered.ts'
import type { Provider } from './prepare.ts'

interface Row {
  id: string
  user_id: string
  conversation_id: string
  device_id: string
  provider: Provider
  from_seq: number
  upto_seq: number
  message_at: Date
  created_at: Date
  state: DeliveryState
  attempts: TracedPush['attempts']
  due_at: Date | null
  finished_at: Date | null
  place: number
}

const columns = `id, user_id, conversation_id, device_id, provider, from_seq, upto_seq, message_at, created_at, state,
       attempts, due_at, finished_at`

export interface PushFilter {
  readonly user?: string | undefined
  readonly conversation?: string | undefined
  readonly state?: DeliveryState | undefined
}

/** Pushes, the latest first. @throws Refusal field_invalid when `after` is none of ours */
export async function list(
  ctx: PushContext,
  filter: PushFilter,
  page: PageWanted,
): Promise<PageOf<'pushes', TracedPush>> {
  return read(ctx, 'created_at', filter, page)
}

/** Pushes that nobody tries any more, the latest first. */
export async function listDead(ctx: PushContext, page: PageWanted): Promise<PageOf<'pushes', TracedPush>> {
  return read(ctx, 'finished_at', { state: 'dead' }, page)
}

async function read(
  ctx: PushContext,
  by: 'created_at' | 'finished_at',
  filter: PushFilter,
  page: PageWanted,
): Promise<PageOf<'pushes', TracedPush>> {
  const limit = Math.min(page.limit, pageMax)
  const after = page.after === undefined ? undefined : decodePlace(page.after)
  const values: unknown[] = [limit + 1]
  const conditions: string[] = []
  const put = (value: unknown) => `$${values.push(value)}`
  if (filter.user !== undefined) conditions.push(`user_id = ${put(filter.user)}`)
  if (filter.conversation !== undefined) conditions.push(`conversation_id = ${put(filter.conversation)}`)
  // Written out, so that the planner sees that the index of the dead fits.
  if (filter.state === 'dead') conditions.push(`state = 'dead'`)
  else if (filter.state !== undefined) conditions.push(`state = ${put(filter.state)}`)
  if (after !== undefined) conditions.push(behind(by, put(after.at), put(after.id)))
  const { rows } = await ctx.pool.query<Row>(
    `SELECT ${columns}, ${placeOf(by)} AS place FROM push_deliveries
      ${conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`} ORDER BY ${by} DESC, id DESC LIMIT $1`,
    values,
  )
  return toPage('pushes', rows, limit, toTraced)
}

function toTraced(row: Row): TracedPush {
  return {
    id: row.id,
    user: row.user_id,
    conversation: row.conversation_id,
    device: row.device_id,
    provider: row.provider,
    fromSeq: row.from_seq,
    uptoSeq: row.upto_seq,
    messageAt: row.message_at.getTime(),
    createdAt: row.created_at.getTime(),
    state: row.state,
    attempts: row.attempts,
    ...(row.due_at === null ? {} : { dueAt: row.due_at.getTime() }),
    ...(row.finished_at === null ? {} : { finishedAt: row.finished_at.getTime() }),
  }
}
