import { type Conversation, type JoinRequest, Refusal } from '@flotilla/protocol'
import { permits } from '../../access.ts'
import type { LogContext } from '../context.ts'
import { paperCodeHash } from '../../text/paper-codes.ts'
import { demandNoneBanned } from '../conversations/bans.ts'
import { change, type Locked } from '../conversations/change.ts'
import { get } from '../conversations/get.ts'
import { demandRoomToJoin, joinGroup } from '../conversations/join-group.ts'
import { askToJoin, tellJoinRequested } from '../join-requests/ask.ts'
import { demandHeld } from '../../users/hold.ts'
import { goodLink, spend } from './link.ts'

export type Joined = { readonly conversation: Conversation } | { readonly request: JoinRequest }

/**
 * The person comes in by a link, or asks to where it says so. Uses are counted under the lock of the conversation: of two
 * at once who want the last one, one gets it. Whoever is in already stays so.
 * @throws Refusal invitation_invalid, banned, conversation_full, request_declined, limit_reached
 */
export async function join(ctx: LogContext, by: string, token: string): Promise<Joined> {
  const hash = paperCodeHash(token)
  const found = await ctx.pool.query<{ conversation: string }>(
    'SELECT conversation_id AS conversation FROM invite_links WHERE token_hash = $1',
    [hash],
  )
  const conversation = found.rows[0]?.conversation
  if (conversation === undefined) throw new Refusal('invitation_invalid')
  let asks = false
  let told: readonly string[] = []
  await change(
    ctx,
    by,
    conversation,
    async locked => {
      const { client } = locked
      demandHeld(locked.held, [by], 'user')
      if ((await locked.rolesOf([by])).has(by)) return undefined
      await demandNoneBanned(client, conversation, [by])
      const link = await findGood(locked, hash)
      if (link.approval) {
        asks = true
        const toTell = await askToJoin(ctx, locked, { conversation, user: by })
        if (toTell !== undefined) await spend(client, link.id)
        told = toTell ?? []
        return undefined
      }
      await demandRoomToJoin(ctx, locked, by, by)
      await spend(client, link.id)
      return joinGroup(locked, [by], 'link')
    },
    { hold: [by], entering: true },
  )
  if (!asks) return { conversation: await get(ctx, by, conversation) }
  return { request: await tellJoinRequested(ctx, { conversation, user: by, told }) }
}

/** Whoever made it must still be able to add people. @throws Refusal invitation_invalid */
async function findGood({ client, rules, rolesOf }: Locked, hash: Buffer): Promise<{ id: string; approval: boolean }> {
  const found = await client.query<{ id: string; by: string; approval: boolean }>(
    `SELECT id, by_id AS by, approval FROM invite_links WHERE token_hash = $1 AND ${goodLink}`,
    [hash],
  )
  const link = found.rows[0]
  const maker = link === undefined ? undefined : (await rolesOf([link.by])).get(link.by)
  if (link === undefined || maker === undefined || !permits(rules, 'addMembers', maker))
    throw new Refusal('invitation_invalid')
  return link
}
