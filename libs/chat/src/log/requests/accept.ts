/**
 * Somebody comes into a conversation that they were asked into. It is their own act, so the entry is by them, and from
 * its commit on they are a member like any other (P8).
 */
import { type Conversation, Refusal } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import { demandNotBlocked, demandStillAsked, requestStates } from '../../access.ts'
import type { LogContext } from '../context.ts'
import { demandNoneBanned } from '../conversations/bans.ts'
import { change } from '../conversations/change.ts'
import { get } from '../conversations/get.ts'
import { demandRoomToJoin, joinGroup } from '../conversations/join-group.ts'
import { readCounterparts } from '../../privacy/counterparts.ts'

interface Open {
  readonly conversation: string
  readonly from: string
}

/**
 * @throws Refusal request_unknown (also when whoever asked may add nobody any more), banned, conversation_full, limit_reached,
 *   blocked, unavailable
 */
export async function accept(ctx: LogContext, by: string, request: string): Promise<Conversation> {
  const found = await ctx.pool.query<Open>(
    `SELECT conversation_id AS conversation, from_id AS from FROM conversation_requests
      WHERE id = $1 AND user_id = $2 AND state = $3`,
    [request, by, requestStates.open],
  )
  const open = found.rows[0]
  if (open === undefined) throw new Refusal('request_unknown')
  await enter(ctx, by, { ...open, request })
  return get(ctx, by, open.conversation)
}

/**
 * The person comes in: by a request, or into a direct conversation because they open it themselves, or because the two
 * are contacts by now. Whoever is in it already stays so.
 */
export async function enter(
  ctx: LogContext,
  by: string,
  { conversation, from, request }: Open & { readonly request?: string },
): Promise<void> {
  await change(
    ctx,
    by,
    conversation,
    async locked => {
      const { client, kind } = locked
      if ((await locked.rolesOf([by])).has(by)) return undefined
      if (request !== undefined) await demandRequest(client, by, request)
      const tie = (await readCounterparts(client, by, [from])).get(from)
      if (tie === undefined) throw new Refusal('request_unknown')
      demandNotBlocked(tie, 'the person')
      if (kind === 'group') {
        demandStillAsked(locked.rules, (await locked.rolesOf([from])).get(from))
        await demandNoneBanned(client, conversation, [by])
      }
      await demandRoomToJoin(ctx, locked, by, by)
      if (kind === 'group') return joinGroup(locked, [by])
      // What was said to them by way of asking is theirs to read.
      return { event: 'member.added', members: [{ user: by, role: 'member' }], since: 1 }
    },
    { hold: [by, from], entering: true },
  )
}

/** Of an acceptance and a cancellation at once the first one counts. @throws Refusal request_unknown */
async function demandRequest(client: PoolClient, by: string, request: string): Promise<void> {
  const found = await client.query(
    'SELECT FROM conversation_requests WHERE id = $1 AND user_id = $2 AND state = $3 FOR UPDATE',
    [request, by, requestStates.open],
  )
  if (found.rowCount === 0) throw new Refusal('request_unknown')
}
