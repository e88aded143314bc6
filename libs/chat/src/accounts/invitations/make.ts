import { randomUUID } from 'node:crypto'
import { type Invitation, operatorInvitationUsesMax, Refusal } from '@flotilla/protocol'
import type { AccountsContext } from '../context.ts'
import { makePaperCode, paperCodeHash } from '../../text/paper-codes.ts'
import { transaction } from '../../store/transaction.ts'
import { type InvitationRow, invitationColumns, toInvitation } from './invitation.ts'
import { goodInvitation } from './spend.ts'

/** What operators may make: they invite schools and companies. */
const operatorInvitationsMax = 1_000

const insert = `
INSERT INTO invitations (id, code_hash, user_id, by_operator, uses_max, expires_at)
VALUES ($1, $2, $3, $4, $5, now() + $6 * interval '1 millisecond') RETURNING ${invitationColumns}`

/**
 * Makes a code by which others may register. It is shown this once.
 * @param input.operator whether the caller makes it as an operator, which is for the route to know
 * @throws Refusal operators_only, field_invalid (`uses`), limit_reached
 */
export async function make(
  ctx: AccountsContext,
  by: string,
  input: { readonly uses?: number | undefined; readonly expiresInMs?: number | undefined; readonly operator: boolean },
): Promise<Invitation & { readonly code: string }> {
  const { invitationsFrom, invitationsMax, invitationUsesMax, invitationLifeMs } = ctx.settings
  const { uses = 1, expiresInMs = invitationLifeMs, operator } = input
  if (invitationsFrom === 'operators' && !operator) throw new Refusal('operators_only')
  const usesMax = operator ? operatorInvitationUsesMax : invitationUsesMax
  if (uses > usesMax)
    throw new Refusal('field_invalid', `uses: must be ${usesMax} at most`, {
      field: 'uses',
      rule: `maximum ${usesMax}`,
    })
  const code = makePaperCode()
  return transaction(ctx, async tx => {
    // Held, so that two at once do not both find room for one more.
    await tx.query('SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE', [by])
    const found = await tx.query<{ open: number }>(
      `SELECT count(*)::int AS open FROM invitations WHERE user_id = $1 AND by_operator = $2 AND ${goodInvitation}`,
      [by, operator],
    )
    const openMax = operator ? operatorInvitationsMax : invitationsMax
    if (found.rows[0]!.open >= openMax)
      throw new Refusal('limit_reached', 'you have reached the limit of invitations. Revoke one first.', {
        rule: `maxItems ${openMax}`,
      })
    const values = [randomUUID(), paperCodeHash(code), by, operator, uses, expiresInMs]
    const made = await tx.query<InvitationRow>(insert, values)
    return { ...toInvitation(made.rows[0]!), code }
  })
}
