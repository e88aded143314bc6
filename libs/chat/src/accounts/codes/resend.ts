import { type CodeRequest, Refusal } from '@flotilla/protocol'
import type { AccountsContext } from '../context.ts'
import type { CodePurpose } from '../../store/jobs/job.ts'
import { transaction } from '../../store/transaction.ts'
import { demandMail, resendAfterMs, send } from './code.ts'

interface Row {
  purpose: CodePurpose
  email: string
  user_id: string | null
  sent_count: number
  wait_ms: number
}

const find = `
SELECT purpose, email, user_id, sent_count,
       (extract(epoch FROM resend_at - clock_timestamp()) * 1000)::float8 AS wait_ms
  FROM codes WHERE id = $1 AND expires_at > now() AND tries_left > 0`

const renew = `
UPDATE codes SET code_mac = coalesce($2, code_mac), sent_count = sent_count + 1,
       resend_at = clock_timestamp() + $3 * interval '1 millisecond',
       expires_at = clock_timestamp() + $4 * interval '1 millisecond'
 WHERE id = $1`

/**
 * Sends another code for the same request, after a pause that doubles each time. The code before is worth nothing any
 * more; the tries that were used stay used. Where the mailbox has had enough, nothing is sent, and it stays good.
 * @throws Refusal code_invalid (ask for a new one), rate_limited (too soon), limit_reached, mail_disabled
 */
export async function resend(
  ctx: AccountsContext,
  request: string,
  { isMailed = true }: { readonly isMailed?: boolean } = {},
): Promise<CodeRequest> {
  demandMail(ctx)
  const { codeLifeMs } = ctx.settings
  return transaction(ctx, async client => {
    // Under the lock, so that of two at once the second finds the pause that the first has begun.
    const row = demandDue(ctx, (await client.query<Row>(`${find} FOR UPDATE`, [request])).rows[0])
    const { purpose, email, user_id: user } = row
    const mac = await send(ctx, client, { request, purpose, email, user, isMailed })
    const pauseMs = resendAfterMs(ctx, row.sent_count + 1)
    await client.query(renew, [request, isMailed ? mac : null, pauseMs, codeLifeMs])
    return { request, expiresInMs: codeLifeMs, resendAfterMs: pauseMs }
  })
}

function demandDue({ settings }: AccountsContext, row: Row | undefined): Row {
  if (row === undefined) throw new Refusal('code_invalid')
  const { codeSendsMax } = settings
  if (row.sent_count >= codeSendsMax)
    throw new Refusal('limit_reached', undefined, { rule: `at most ${codeSendsMax} emails` })
  if (row.wait_ms > 0) throw new Refusal('rate_limited', undefined, { retryMs: Math.ceil(row.wait_ms) })
  return row
}

/**
 * Whether a code could be sent again now, before that is counted against a mailbox.
 * @returns the address that it would go to
 * @throws Refusal as `resend`
 */
export async function demandResendable(ctx: AccountsContext, request: string): Promise<string> {
  demandMail(ctx)
  return demandDue(ctx, (await ctx.pool.query<Row>(find, [request])).rows[0]).email
}
