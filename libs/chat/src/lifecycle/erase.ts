/**
 * Erases accounts whose grace period is over. Two steps, each of which can be interrupted anywhere and is done again:
 *
 * 1. Nobody gets in any more: the sessions end, and every way in is deleted. `erased_at` says so; from then on there is
 *    no way back. What was under way in that moment gets `erasureSettleMs` to end, so that it leaves nothing behind.
 * 2. The person leaves their groups as anybody would, and everything that is theirs alone is deleted. The row in `users`
 *    stays as a tombstone without a name, because the logs of others point at it. Taking `delete_after` away is the last
 *    act and commits together with the last deletion: until then the account is due again.
 *
 * What the person wrote stays in the conversations of others, as letters stay with those who got them. A conversation
 * that nobody is left to read is deleted.
 */
import { randomBytes } from 'node:crypto'
import type { PoolClient } from 'pg'
import { requestNote } from '../people/contacts/befriend.ts'
import type { LifecycleContext } from './context.ts'
import { add as addJob } from '../store/jobs/add.ts'
import { endAll } from '../accounts/sessions/end.ts'
import { transaction } from '../store/transaction.ts'
import { avatarKeys } from '../users/change-avatar.ts'
import { holdNameOfErased } from '../accounts/registration/held-names.ts'
import { leaveForGood } from './leave-for-good.ts'
import { tellChanged } from '../users/tell-changed.ts'

/** Whoever is erased by one process is left alone by the others for so long; one that fails is tried again after it. */
const leaseMs = 10 * 60_000
const tombstoneName = 'Deleted person'

/**
 * @param max accounts that are taken in hand
 * @returns how many were erased
 */
export async function eraseDue(ctx: LifecycleContext, max: number): Promise<number> {
  await shutOut(ctx, max)
  let erased = 0
  for (let taken = 0; taken < max; taken++) {
    const user = await claim(ctx)
    if (user === undefined) break
    try {
      await leaveForGood(ctx, user, () => extend(ctx, user))
      await erase(ctx, user)
      erased++
    } catch (error) {
      ctx.logger.error({ err: error, user }, 'account not erased; retrying')
    }
  }
  return erased
}

// ── the first step ───────────────────────────────────────────────────────────────────────────────────────────────────

/** FOR UPDATE, so that a sign-in that is being made waits and then finds nobody (sessions/open.ts). */
const begin = `
UPDATE users SET erased_at = now(), delete_after = now() + $2 * interval '1 millisecond',
       password_hash = NULL, email = NULL, mail_factor = false
 WHERE id IN (SELECT id FROM users WHERE erased_at IS NULL AND delete_after <= now()
               ORDER BY delete_after LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING id`

/** With the person's id in `user_id`. */
const signInMethods = ['codes', 'challenges', 'identities', 'passkeys', 'totp_factors', 'recovery_codes', 'invitations']

async function shutOut(ctx: LifecycleContext, max: number): Promise<void> {
  await transaction(ctx, async tx => {
    const begun = await tx.query<{ id: string }>(begin, [max, ctx.settings.erasureSettleMs])
    for (const { id } of begun.rows) {
      await endAll(ctx, { user: id }, tx)
      await deleteFrom(tx, signInMethods, id)
    }
  })
}

async function deleteFrom(tx: PoolClient, tables: readonly string[], user: string): Promise<void> {
  for (const table of tables) await tx.query(`DELETE FROM ${table} WHERE user_id = $1`, [user])
}

// ── the second step ──────────────────────────────────────────────────────────────────────────────────────────────────

async function claim(ctx: LifecycleContext): Promise<string | undefined> {
  const found = await ctx.pool.query<{ id: string }>(
    `UPDATE users SET delete_after = now() + $1 * interval '1 millisecond'
      WHERE id = (SELECT id FROM users WHERE erased_at IS NOT NULL AND delete_after <= now()
                   ORDER BY delete_after LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)
     RETURNING id`,
    [leaseMs],
  )
  return found.rows[0]?.id
}

async function extend(ctx: LifecycleContext, user: string): Promise<void> {
  await ctx.pool.query(
    `UPDATE users SET delete_after = now() + $2 * interval '1 millisecond' WHERE id = $1 AND delete_after IS NOT NULL`,
    [user, leaseMs],
  )
}

/** Once more what the first step deleted: it may have been under way then. */
const own = [
  ...signInMethods,
  'devices',
  'sessions',
  'notifications',
  'mentions',
  'drafts',
  'security_events',
  'pushes',
  'push_deliveries',
  'offline_messages',
  'hidden_messages',
  'message_versions',
  'scheduled_messages',
  'reminders',
  'stars',
  'thread_follows',
]

/** What groups hold of the person. Whom they have banned stays so. */
const outOfGroups = `
WITH asking AS (DELETE FROM join_requests WHERE user_id = $1),
     silenced AS (DELETE FROM group_silences WHERE user_id = $1),
     banned AS (DELETE FROM group_bans WHERE user_id = $1),
     slowed AS (DELETE FROM slow_posts WHERE user_id = $1),
     links AS (DELETE FROM invite_links WHERE by_id = $1)
UPDATE group_bans SET by_id = NULL WHERE by_id = $1`

const bury = `
UPDATE users SET username = $2, display_name = $3, password_hash = NULL, email = NULL, about = '', avatar = NULL,
       search_text = '', last_seen_at = NULL, last_seen_to = DEFAULT, read_receipts_to = DEFAULT,
       found_by_email_to = DEFAULT, direct_from = NULL, hidden_at = NULL, push_names = DEFAULT, notify = DEFAULT, quiet_from = NULL,
       quiet_until = NULL, quiet_zone = NULL, mail_factor = false, delete_after = NULL
 WHERE id = $1`

/** What the person voted for where that was secret: the totals stay. Elsewhere their vote is said in the log. */
const forgetSecretVotes = `
DELETE FROM poll_votes v USING polls p
 WHERE v.user_id = $1 AND p.conversation_id = v.conversation_id AND p.seq = v.seq AND p.anonymous`

/** What others saw of the person, and are told is gone. */
interface Ties {
  readonly contacts: readonly string[]
  readonly requests: readonly { readonly id: string; readonly from: string; readonly to: string }[]
}

async function erase(ctx: LifecycleContext, user: string): Promise<void> {
  const username = `deleted-${randomBytes(6).toString('hex')}`
  const ties = await transaction(ctx, async tx => {
    // Whoever ties somebody to the person, or gives them a picture, waits for this row, and then finds the tombstone.
    const found = await tx.query<{ username: string; avatar: string | null }>(
      'SELECT username, avatar FROM users WHERE id = $1 FOR UPDATE',
      [user],
    )
    const { username: before, avatar } = found.rows[0]!
    await holdNameOfErased(tx, before, user)
    await deleteFrom(tx, own, user)
    await tx.query(forgetSecretVotes, [user])
    const cut = await cutTies(tx, user)
    await tx.query(outOfGroups, [user])
    // What was uploaded and never used is deleted as what is left lying, with its file.
    await tx.query('UPDATE uploads SET expires_at = least(expires_at, now()) WHERE user_id = $1', [user])
    if (avatar !== null) await addJob(ctx, { kind: 'delete-files', keys: avatarKeys(avatar) }, tx)
    await tx.query(bury, [user, username, tombstoneName])
    return cut
  })
  await tellChanged(ctx, { id: user, username, displayName: tombstoneName, avatar: null })
  if (ties.contacts.length > 0)
    ctx.emit({ class: 'signal', to: ties.contacts, event: { event: 'contact.removed', user } })
  for (const { id: request, from, to } of ties.requests) {
    const event = from === user ? 'contact.cancelled' : 'contact.declined'
    ctx.emit({ class: 'signal', to: [from === user ? to : from], event: { event, request } })
  }
}

async function cutTies(tx: PoolClient, user: string): Promise<Ties> {
  const contacts = await tx.query<{ user_id: string }>(
    'DELETE FROM contacts WHERE user_id = $1 OR contact_id = $1 RETURNING user_id',
    [user],
  )
  const requests = await tx.query<Ties['requests'][number]>(
    'DELETE FROM contact_requests WHERE from_id = $1 OR to_id = $1 RETURNING id, from_id AS "from", to_id AS "to"',
    [user],
  )
  const sent = requests.rows.filter(request => request.from === user)
  await tx.query('DELETE FROM notifications WHERE user_id = ANY($1) AND dedup = ANY($2)', [
    sent.map(request => request.to),
    sent.map(request => requestNote(request.id)),
  ])
  await tx.query('DELETE FROM conversation_requests WHERE user_id = $1 OR from_id = $1', [user])
  await tx.query('DELETE FROM blocks WHERE user_id = $1 OR blocked_id = $1', [user])
  return { contacts: contacts.rows.map(row => row.user_id).filter(id => id !== user), requests: requests.rows }
}
