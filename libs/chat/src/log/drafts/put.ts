import { type Draft, type DraftContent, isWellFormed, Refusal, wellFormedRule } from '@flotilla/protocol'
import { demandMember } from '../../access.ts'
import type { LogContext } from '../context.ts'
import { draftColumns, type DraftRow, sealName, toDraft } from './draft.ts'

/** Of two devices the one that wrote last, whichever comes first: a time of the future would win for ever, so it is now. */
const putText = `
WITH given AS (
  SELECT m.user_id, m.conversation_id,
         date_trunc('milliseconds', least(timestamptz 'epoch' + $3::int8 * interval '1 millisecond', clock_timestamp())) AS at
    FROM members m WHERE m.user_id = $1 AND m.conversation_id = $2
)
INSERT INTO drafts AS d (user_id, conversation_id, at, key_id, body)
SELECT user_id, conversation_id, at, $4::int, $5::bytea FROM given
    ON CONFLICT (user_id, conversation_id, thread) DO UPDATE SET at = excluded.at, key_id = excluded.key_id, body = excluded.body
 WHERE d.at < excluded.at
RETURNING ${draftColumns}`

const standingText = `SELECT ${draftColumns} FROM drafts d WHERE d.user_id = $1 AND d.conversation_id = $2 AND d.thread = 0`

/**
 * Saves what the caller has begun to write, unless a later one is there. Emptied, it leaves its time behind.
 * @param input.at when it was written, in milliseconds since 1970, by the device
 * @returns what stands now
 * @throws Refusal conversation_unknown, not_a_member, field_invalid
 */
export async function put(
  ctx: LogContext,
  by: string,
  { conversation, at, content }: { conversation: string; at: number; content: DraftContent | null },
): Promise<Draft> {
  if (content !== null && !isWellFormed(content.text))
    throw new Refusal('field_invalid', `content.text: must keep to ${wellFormedRule}`, {
      field: 'content.text',
      rule: wellFormedRule,
    })
  const sealed = content === null ? undefined : ctx.seal.seal(sealName(by, conversation), JSON.stringify(content))
  const saved = await ctx.pool.query<DraftRow>({
    name: 'drafts-put',
    text: putText,
    values: [by, conversation, at, sealed?.keyId ?? null, sealed?.body ?? null],
  })
  const row = saved.rows[0]
  if (row === undefined) return standing(ctx, by, conversation)
  const draft = { conversation, at: row.at, content }
  ctx.emit({ class: 'signal', to: [by], event: { event: 'draft.changed', ...draft } })
  return draft
}

async function standing(ctx: LogContext, by: string, conversation: string): Promise<Draft> {
  await ctx.memberships.demand(conversation, by)
  const found = await ctx.pool.query<DraftRow>(standingText, [by, conversation])
  // Whoever was a member until now has none.
  const row = found.rows[0]
  demandMember(true, row)
  await ctx.seal.ready(row.key_id === null ? [] : [row.key_id])
  return toDraft(ctx.seal, by, row)
}
