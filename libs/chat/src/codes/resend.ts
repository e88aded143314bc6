import { Refusal } from '@flotilla/protocol'
import type { ChatContext } from '../context.ts'
import type { CodePurpose } from '../jobs/job.ts'
import { transaction } from '../store/transaction.ts'
import { type AskedCode, demandMail, resendAfterMs, send } from './code.ts'

interface Row {
  purpose: CodePurpose
  email: string
  user_id: string | null
  sent_count: number
  wait_ms: number
}

/** Under the lock, so that of two at once the second finds the pause that the first has begun. */
const lock = `
SELECT purpose, email, user_id, sent_count,
       (extract(epoch FROM resend_at - clock_timestamp()) * 1000)::float8 AS wait_ms
  FROM codes WHERE id = $1 AND expires_at > now() AND tries_left > 0 FOR UPDATE`

const renew = `
UPDATE codes SET code_mac = $2, sent_count = sent_count + 1,
       resend_at = clock_timestamp() + $3 * interval '1 millisecond',
       expires_at = clock_timestamp() + $4 * interval '1 millisecond'
 WHERE id = $1`

/**
 * Sends another code for the same request, after a pause that doubles each time. The code before is worth nothing any
 * more; the tries that were used stay used.
 * @throws Refusal code_invalid (ask for a new one), rate_limited (too soon), too_many, mail_unavailable
 */
export async function resend(ctx: ChatContext, request: string): Promise<AskedCode> {
  demandMail(ctx)
  const { codeLifeMs, codeSendsMax } = ctx.settings
  return transaction(ctx, async client => {
    const row = (await client.query<Row>(lock, [request])).rows[0]
    if (row === undefined) throw new Refusal('code_invalid')
    if (row.sent_count >= codeSendsMax) throw new Refusal('too_many', undefined, { rule: `${codeSendsMax} sendings` })
    if (row.wait_ms > 0) throw new Refusal('rate_limited', undefined, { retryMs: Math.ceil(row.wait_ms) })
    const { purpose, email, user_id: user } = row
    const mac = await send(ctx, client, { request, purpose, email, user })
    const pauseMs = resendAfterMs(ctx, row.sent_count + 1)
    await client.query(renew, [request, mac, pauseMs, codeLifeMs])
    return { request, lifeMs: codeLifeMs, resendAfterMs: pauseMs }
  })
}
