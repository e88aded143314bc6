import { randomUUID } from 'node:crypto'
import { type InviteLink, Refusal } from '@flotilla/protocol'
import { demandGroup, demandPermitted } from '../../access.ts'
import type { LogContext } from '../context.ts'
import { makePaperCode, paperCodeHash } from '../../text/paper-codes.ts'
import { change } from '../conversations/change.ts'
import { goodLink, linkColumns, type LinkRow, toLink } from './link.ts'

const insert = `
INSERT INTO invite_links (id, conversation_id, token_hash, by_id, uses_max, approval, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, now() + $7 * interval '1 millisecond') RETURNING ${linkColumns}`

export interface LinkWanted {
  readonly conversation: string
  readonly uses?: number | undefined
  readonly lifeMs?: number | undefined
  readonly approval?: boolean | undefined
}

/**
 * Makes a link by which others come into a group. Its token is shown this once. It works as long as whoever made it is a
 * member who may add people, and ends when they go.
 * @throws Refusal conversation_unknown, not_a_member, not_a_group, role_insufficient, limit_reached
 */
export async function make(
  ctx: LogContext,
  by: string,
  input: LinkWanted,
): Promise<InviteLink & { readonly token: string }> {
  const { inviteLinksMax: max, inviteLinkLifeMs } = ctx.settings
  const { conversation, uses = null, lifeMs = inviteLinkLifeMs, approval = false } = input
  const token = makePaperCode()
  let made: InviteLink | undefined
  await change(ctx, by, conversation, async ({ kind, rules, role, client }) => {
    demandGroup(kind)
    demandPermitted(rules, 'addMembers', role)
    const found = await client.query<{ links: number }>(
      `SELECT count(*)::int AS links FROM invite_links WHERE conversation_id = $1 AND ${goodLink}`,
      [conversation],
    )
    if (found.rows[0]!.links >= max)
      throw new Refusal('limit_reached', 'the group has as many invite links as it may have: revoke one first', {
        rule: `maxItems ${max}`,
      })
    const values = [randomUUID(), conversation, paperCodeHash(token), by, uses, approval, lifeMs]
    made = toLink((await client.query<LinkRow>(insert, values)).rows[0]!)
    return undefined
  })
  return { ...made!, token }
}
