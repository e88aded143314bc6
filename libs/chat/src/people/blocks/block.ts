/**
 * Blocks and unblocks. What is guaranteed (P8): the transaction of a block raises the version of the direct conversation
 * of the two, whose row every group commit locks. So an entry that was decided before the block either has a lower seq,
 * or is refused as stale and decided anew; however late the caches are. What was said before stays.
 */
import { Refusal } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import { kindNumbersOfConversations, requestStates } from '../../access.ts'
import type { PeopleContext } from '../context.ts'
import { requestNote } from '../contacts/befriend.ts'
import { withdraw } from '../../notices/notifications/follow.ts'
import { transaction } from '../../store/transaction.ts'
import { holdUsers } from '../../users/hold.ts'

interface Direct {
  readonly id: string
  readonly version: number
}

/** What a block took away. */
interface Blocked {
  readonly direct: Direct | undefined
  readonly wereContacts: boolean
  readonly requests: readonly { id: string; from_id: string }[]
  /** Into conversations. */
  readonly asked: readonly { id: string; from: string; conversation: string }[]
}

/**
 * From the commit on nothing passes between the two, in either direction. To block again changes nothing.
 * @throws Refusal field_invalid (oneself), user_unknown, limit_reached, unavailable
 */
export async function block(ctx: PeopleContext, by: string, user: string): Promise<void> {
  if (user === by)
    throw new Refusal('field_invalid', 'user: must be another user', { field: 'user', rule: 'not yourself' })
  const done = await transaction(ctx, client => write(ctx, client, by, user))
  if (done === undefined) return
  learn(ctx, [by, user], done.direct)
  ctx.emit({ class: 'signal', to: [by], event: { event: 'block.changed', user, blocked: true } })
  // The other's devices must not go on showing what is gone. That it was a block they are not told.
  if (done.wereContacts) {
    ctx.emit({ class: 'signal', to: [by], event: { event: 'contact.removed', user } })
    ctx.emit({ class: 'signal', to: [user], event: { event: 'contact.removed', user: by } })
  }
  for (const { id: request, from_id: from } of done.requests) {
    ctx.emit({
      class: 'signal',
      to: [by, user],
      event: { event: from === by ? 'contact.cancelled' : 'contact.declined', request },
    })
    await withdraw(ctx, from === by ? user : by, requestNote(request))
  }
  for (const { id: request, from, conversation } of done.asked) {
    const answer = from === by ? 'cancelled' : 'declined'
    // Who asked and is blocked for it is not told.
    const to = from === by ? [by, user] : [by]
    ctx.emit({ class: 'signal', to, event: { event: 'conversation.answered', request, conversation, answer } })
  }
}

/** The version is raised last: sends to the conversation wait for nothing but the commit. */
async function write(ctx: PeopleContext, client: PoolClient, by: string, user: string): Promise<Blocked | undefined> {
  const held = await holdUsers(client, [by, user])
  if (!held.has(user)) throw new Refusal('user_unknown', undefined, { field: 'user' })
  const made = await client.query<{ blocks: number }>(
    `INSERT INTO blocks (user_id, blocked_id) VALUES ($1, $2) ON CONFLICT DO NOTHING
     RETURNING (SELECT count(*)::int FROM blocks WHERE user_id = $1) AS blocks`,
    [by, user],
  )
  if (made.rowCount === 0) return undefined
  // The count is that of before.
  const { blocksMax } = ctx.settings
  if (made.rows[0]!.blocks >= blocksMax)
    throw new Refusal('limit_reached', undefined, { rule: `maxItems ${blocksMax}` })
  const requests = await client.query<{ id: string; from_id: string }>(
    `DELETE FROM contact_requests WHERE (from_id, to_id) IN (($1, $2), ($2, $1)) RETURNING id, from_id`,
    [by, user],
  )
  const contacts = await client.query(
    'DELETE FROM contacts WHERE (user_id, contact_id) IN (($1::uuid, $2::uuid), ($2, $1))',
    [by, user],
  )
  await noteHidden(client, by, user)
  return {
    asked: await endRequests(client, by, user),
    direct: await raiseVersion(client, by, user),
    wereContacts: contacts.rowCount !== 0,
    requests: requests.rows,
  }
}

/** A direct conversation stays begun, and is declined; nobody is asked into a group any more by the other. */
const endRequestsText = `
WITH between AS (
  SELECT r.id, c.kind FROM conversation_requests r JOIN conversations c ON c.id = r.conversation_id
   WHERE (r.from_id, r.user_id) IN (($1, $2), ($2, $1)) AND r.state = ${requestStates.open} ORDER BY r.id FOR UPDATE OF r
), declined AS (
  UPDATE conversation_requests r SET state = ${requestStates.declined}, changed_at = now() FROM between b
   WHERE r.id = b.id AND b.kind = ${kindNumbersOfConversations.direct} RETURNING r.id, r.from_id, r.conversation_id
), gone AS (
  DELETE FROM conversation_requests r USING between b
   WHERE r.id = b.id AND b.kind <> ${kindNumbersOfConversations.direct} RETURNING r.id, r.from_id, r.conversation_id
)
SELECT id, from_id AS from, conversation_id AS conversation FROM declined UNION ALL SELECT * FROM gone`

async function endRequests(client: PoolClient, by: string, user: string): Promise<Blocked['asked']> {
  return (await client.query<Blocked['asked'][number]>(endRequestsText, [by, user])).rows
}

/** To unblock whom one has not blocked changes nothing. What the block took away does not come back. */
export async function unblock(ctx: PeopleContext, by: string, user: string): Promise<void> {
  const done = await transaction(ctx, async client => {
    await holdUsers(client, [by, user])
    const gone = await client.query('DELETE FROM blocks WHERE user_id = $1 AND blocked_id = $2', [by, user])
    if (gone.rowCount === 0) return undefined
    await noteHidden(client, by, user)
    return { direct: await raiseVersion(client, by, user) }
  })
  if (done === undefined) return
  learn(ctx, [by, user], done.direct)
  ctx.emit({ class: 'signal', to: [by], event: { event: 'block.changed', user, blocked: false } })
}

/** What is cached of the two is read anew everywhere, with the next pulse. */
async function noteHidden(client: PoolClient, one: string, other: string): Promise<void> {
  await client.query('UPDATE users SET hidden_at = clock_timestamp() WHERE id IN ($1, $2)', [one, other])
}

async function raiseVersion(client: PoolClient, one: string, other: string): Promise<Direct | undefined> {
  const [low, high] = [one, other].sort()
  const found = await client.query<Direct>(
    `UPDATE conversations SET version = version + 1 WHERE kind = $3 AND direct_low = $1 AND direct_high = $2
     RETURNING id, version`,
    [low, high, kindNumbersOfConversations.direct],
  )
  return found.rows[0]
}

/** This process knows at once; the others by a stale write, or with the next pulse. */
function learn(ctx: PeopleContext, users: readonly string[], direct: Direct | undefined): void {
  ctx.restrictions.forget(users)
  if (direct !== undefined) ctx.memberships.drop(direct.id, direct.version)
}
