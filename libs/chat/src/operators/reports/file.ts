/** Tells the operators about a person, or about a message of theirs. Nobody else hears of it. */
import { randomUUID } from 'node:crypto'
import { limits, Refusal, type ReportReason } from '@flotilla/protocol'
import type { OperatorsContext } from '../context.ts'
import { history } from '../../log/messages/history.ts'
import { checkText } from '../../text/names.ts'
import { findShown } from '../../log/requests/get.ts'
import type { Sealed } from '../../store/seal.ts'
import { demandUsers } from '../../users/user.ts'
import { sealName } from './report.ts'

export interface ReportInput {
  readonly user: string
  readonly reason: ReportReason
  readonly comment?: string | undefined
  /** The message, if it is about one: both, and it is the person's. */
  readonly conversation?: string | undefined
  readonly seq?: number | undefined
}

/**
 * Of the same thing the caller has one open report: to report it again answers with that one.
 * @throws Refusal field_invalid, user_unknown, conversation_unknown, not_a_member, message_unknown
 */
export async function file(
  ctx: OperatorsContext,
  by: string,
  input: ReportInput,
): Promise<{ id: string; created: boolean }> {
  const { user, reason, conversation, seq } = input
  const comment = checkText(input.comment ?? '', 'comment', limits.reportCommentLengthMax)
  if (user === by)
    throw new Refusal('field_invalid', 'user: must be another user', { field: 'user', rule: 'not yourself' })
  if ((conversation === undefined) !== (seq === undefined)) {
    const field = conversation === undefined ? 'conversation' : 'seq'
    throw new Refusal('field_invalid', `${field}: required, since conversation and seq go together`, {
      field,
      rule: 'required',
    })
  }
  await demandUsers(ctx, [user], 'user')
  const id = randomUUID()
  const copy =
    conversation === undefined || seq === undefined
      ? undefined
      : await copyMessage(ctx, by, { id, user, conversation, seq })
  const made = await ctx.pool.query(
    `INSERT INTO reports (id, reporter_id, user_id, conversation_id, seq, reason, comment, key_id, body)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
    [id, by, user, conversation ?? null, seq ?? null, reason, comment, copy?.keyId ?? null, copy?.body ?? null],
  )
  if (made.rowCount === 1) return { id, created: true }
  const found = await ctx.pool.query<{ id: string }>(
    `SELECT id FROM reports WHERE reporter_id = $1 AND user_id = $2 AND decision IS NULL
        AND conversation_id IS NOT DISTINCT FROM $3 AND seq IS NOT DISTINCT FROM $4`,
    [by, user, conversation ?? null, seq ?? null],
  )
  const open = found.rows[0]
  // It was decided in this very moment.
  if (open === undefined) throw new Refusal('unavailable', undefined, { retryMs: 100 })
  return { id: open.id, created: false }
}

/** The message as the caller may read it, sealed for the report: so it can be judged although it is deleted later. */
async function copyMessage(
  ctx: OperatorsContext,
  by: string,
  at: { id: string; user: string; conversation: string; seq: number },
): Promise<Sealed> {
  const { id, user, conversation, seq } = at
  const shown = await findShown(ctx, by, { conversation, seq })
  const entry = shown ?? (await history(ctx, by, { conversation, after: seq - 1, limit: 1 })).entries[0]
  if (entry?.seq !== seq || entry.event !== 'message.new' || entry.by !== user)
    throw new Refusal('message_unknown', 'no such message of this user', { field: 'seq' })
  return ctx.seal.seal(sealName(id), JSON.stringify({ body: entry.body, at: entry.at }))
}
