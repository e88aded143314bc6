import type { CodeRequest } from '@flotilla/protocol'
import { randomUUID } from 'node:crypto'
import type { AccountsContext } from '../context.ts'
import type { CodePurpose } from '../../store/jobs/job.ts'
import { folded } from '../../store/folded.ts'
import { transaction } from '../../store/transaction.ts'
import { checkEmail } from '../../text/email.ts'
import { demandMail, resendAfterMs, send } from './code.ts'

/** The oldest requests of the address for the same go, so that guessing at many of them at once gains little. */
const insert = `
WITH superseded AS (
  DELETE FROM codes WHERE id IN (
    SELECT id FROM codes WHERE ${folded('email')} = ${folded('$3')} AND purpose = $2 AND user_id IS NOT DISTINCT FROM $4
     ORDER BY created_at DESC OFFSET $9)
)
INSERT INTO codes (id, purpose, email, user_id, code_mac, tries_left, resend_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, now() + $7 * interval '1 millisecond', now() + $8 * interval '1 millisecond')`

/**
 * Sends a code to an address, to be shown with the request (redeem.ts). Neither the answer nor its time tells whether
 * the address is known: a person who has it already hears that by mail.
 * @param input the user is the one who asks, where that is known: then nobody else can redeem it; `isMailed` is whether
 *   the mailbox may have one more, which the answer does not tell either
 * @throws Refusal field_invalid, mail_disabled
 */
export async function ask(
  ctx: AccountsContext,
  input: {
    readonly purpose: CodePurpose
    readonly email: string
    readonly user?: string | undefined
    readonly isMailed?: boolean
  },
): Promise<CodeRequest> {
  demandMail(ctx)
  const { codeLifeMs, codeTriesMax, codesOpenMax } = ctx.settings
  const { purpose, user = null, isMailed = true } = input
  const email = checkEmail(input.email)
  const request = randomUUID()
  const pauseMs = resendAfterMs(ctx, 1)
  await transaction(ctx, async client => {
    const mac = await send(ctx, client, { request, purpose, email, user, isMailed })
    const values = [request, purpose, email, user, mac, codeTriesMax, pauseMs, codeLifeMs, codesOpenMax - 1]
    await client.query(insert, values)
  })
  return { request, expiresInMs: codeLifeMs, resendAfterMs: pauseMs }
}
