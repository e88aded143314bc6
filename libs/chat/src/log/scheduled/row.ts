/** A row of `scheduled_messages`, and what its sender sees of it. The body is sealed, like that of a message. */
import type { LocalTime, ScheduledMessage, PostedBody } from '@flotilla/protocol'
import { mendPairs } from '../entries.ts'
import type { InputOf } from '../rule.ts'
import type { LogContext } from '../context.ts'

export interface ScheduledRow {
  readonly user_id: string
  readonly id: string
  readonly conversation_id: string
  /** Milliseconds since 1970. */
  readonly due: number
  readonly wall: string | null
  readonly zone: string | null
  readonly reply_to: number | null
  readonly root_seq: number | null
  readonly also_in_conversation: boolean
  readonly key_id: number
  readonly body: Buffer
  readonly claimed: boolean
  readonly failure: string | null
}

/** The columns of ScheduledRow, for a SELECT from scheduled_messages AS s. */
export const scheduledColumns =
  's.user_id, s.id, s.conversation_id, (extract(epoch FROM s.due_at) * 1000)::int8 AS due, s.wall, s.zone, s.reply_to, s.root_seq, s.also_in_conversation, s.key_id, s.body, s.claimed_at IS NOT NULL AS claimed, s.failure'

/** A message as its sender wants it. */
export interface Wanted {
  readonly conversation: string
  readonly body: PostedBody
  readonly replyTo?: number | undefined
  readonly thread?: number | undefined
  readonly alsoInConversation?: boolean | undefined
}

/** The command that it becomes. */
export const toCommand = (
  clientId: string,
  { conversation, body, replyTo, thread, alsoInConversation }: Wanted,
): InputOf<'message.send'> => ({
  conversation,
  clientId,
  body,
  ...(replyTo === undefined ? {} : { replyTo }),
  ...(thread === undefined ? {} : { thread }),
  ...(alsoInConversation === undefined ? {} : { alsoInConversation }),
})

/** A body opens only in the row that it was sealed for. */
const placeOf = (user: string, id: string) => `scheduled ${user} ${id}`

export const sealBody = (ctx: LogContext, user: string, id: string, body: PostedBody) =>
  ctx.seal.seal(placeOf(user, id), JSON.stringify(body))

/** Opens rows, in their order. */
export async function toScheduled(ctx: LogContext, rows: readonly ScheduledRow[]): Promise<ScheduledMessage[]> {
  await ctx.seal.ready(new Set(rows.map(row => row.key_id)))
  return rows.map(row => ({
    id: row.id,
    conversation: row.conversation_id,
    body: JSON.parse(mendPairs(ctx.seal.open(placeOf(row.user_id, row.id), row.key_id, row.body))) as PostedBody,
    ...(row.reply_to === null ? {} : { replyTo: row.reply_to }),
    ...(row.root_seq === null ? {} : { thread: row.root_seq }),
    ...(row.also_in_conversation ? { alsoInConversation: true } : {}),
    at: row.due,
    ...localOf(row),
    state: row.failure !== null ? 'failed' : row.claimed ? 'sending' : 'waiting',
    ...(row.failure === null ? {} : { failure: row.failure }),
  }))
}

const localOf = ({ wall: time, zone }: ScheduledRow): { readonly local?: LocalTime } =>
  time === null || zone === null ? {} : { local: { time, zone } }

/** After the commit: the person's devices hear how it stands, or, without a message, that it is gone. */
export function tellScheduled(ctx: LogContext, user: string, scheduled: string, message?: ScheduledMessage): void {
  const event = { event: 'scheduled.changed', scheduled, ...(message === undefined ? {} : { message }) } as const
  ctx.emit({ class: 'signal', to: [user], event })
}
