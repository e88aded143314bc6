import type { Invitation } from '@flotilla/protocol'
import type { AccountsContext } from '../context.ts'
import { behind, decodePlace, type PageOf, type PageWanted, pageMax, toPage } from '../../store/paging.ts'
import { type InvitationRow, invitationColumns, toInvitation } from './invitation.ts'

const text = `
SELECT ${invitationColumns} FROM invitations
 WHERE ($1::uuid IS NULL OR user_id = $1) AND expires_at > now() AND ($2::int8 IS NULL OR ${behind('created_at', '$2', '$3')})
 ORDER BY created_at DESC, id DESC LIMIT $4`

/**
 * The invitations that have not expired, the latest first; those that are used up too, since they say how often.
 * @param by whose; everybody's when left out, for operators
 * @throws Refusal field_invalid when `after` is none of ours
 */
export async function list(
  ctx: AccountsContext,
  by: string | undefined,
  input: PageWanted,
): Promise<PageOf<'invitations', Invitation>> {
  const limit = Math.min(input.limit, pageMax)
  const after = input.after === undefined ? undefined : decodePlace(input.after)
  const { rows } = await ctx.pool.query<InvitationRow>({
    name: 'invitations-list',
    text,
    values: [by ?? null, after?.at ?? null, after?.id ?? null, limit + 1],
  })
  return toPage('invitations', rows, limit, toInvitation)
}
