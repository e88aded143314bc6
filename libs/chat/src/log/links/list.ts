import type { InviteLink } from '@flotilla/protocol'
import { demandGroup, demandPermitted } from '../../access.ts'
import type { LogContext } from '../context.ts'
import { behind, decodePlace, type PageOf, pageMax, type PageWanted, toPage } from '../../store/paging.ts'
import { standingOf } from '../conversations/standing.ts'
import { linkColumns, type LinkRow, toLink } from './link.ts'

const text = `
SELECT ${linkColumns} FROM invite_links
 WHERE conversation_id = $1 AND expires_at > now() AND ($2::int8 IS NULL OR ${behind('created_at', '$2', '$3')})
 ORDER BY created_at DESC, id DESC LIMIT $4`

/**
 * The links of a group that have not expired, the latest first; those that are used up too, since they say how often.
 * @throws Refusal field_invalid, conversation_unknown, not_a_member, not_a_group, role_insufficient
 */
export async function list(
  ctx: LogContext,
  by: string,
  input: PageWanted & { readonly conversation: string },
): Promise<PageOf<'links', InviteLink>> {
  const limit = Math.min(input.limit, pageMax)
  const after = input.after === undefined ? undefined : decodePlace(input.after)
  const { kind, rules, role } = await standingOf(ctx, by, input.conversation)
  demandGroup(kind)
  demandPermitted(rules, 'addMembers', role)
  const { rows } = await ctx.pool.query<LinkRow>({
    name: 'invite-links-list',
    text,
    values: [input.conversation, after?.at ?? null, after?.id ?? null, limit + 1],
  })
  return toPage('links', rows, limit, toLink)
}
