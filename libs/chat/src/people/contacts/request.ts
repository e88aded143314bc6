/**
 * Asks somebody to be contacts. All that changes what two people are to each other begins by holding both of their rows:
 * so of two requests that cross, the second finds the first and accepts it, and a block comes before or after, not
 * between.
 */
import { randomUUID } from 'node:crypto'
import { type Contact, type ContactRequest, limits, Refusal } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import { demandNotBlocked } from '../../access.ts'
import type { PeopleContext } from '../context.ts'
import { add as addJob } from '../../store/jobs/add.ts'
import { checkText } from '../../text/names.ts'
import { add as notify } from '../../notices/notifications/add.ts'
import { readCounterparts } from '../../privacy/counterparts.ts'
import { visible } from '../../privacy/visible.ts'
import { folded } from '../../store/folded.ts'
import { toldOrRefreshed } from '../../store/told-or-refreshed.ts'
import { transaction } from '../../store/transaction.ts'
import { checkEmail, emailKey } from '../../text/email.ts'
import { get } from '../../users/get.ts'
import { holdUsers } from '../../users/hold.ts'
import { type Accepted, befriend, type OpenRequest, requestColumns, requestNote, tellAccepted } from './befriend.ts'

export type Requested = { readonly request: ContactRequest } | { readonly contact: Contact }

type Outcome = { readonly open: OpenRequest } | { readonly accepted: Accepted }

/**
 * @returns the request; or, where the other had asked the caller already, the contact
 * @throws Refusal field_invalid, user_unknown, blocked, contact_exists, request_exists, limit_reached, unavailable
 */
export async function request(
  ctx: PeopleContext,
  by: string,
  input: { user: string; note?: string | undefined; field?: 'user' | 'username' | undefined },
): Promise<Requested> {
  const { user, field = 'user' } = input
  const note = checkText(input.note ?? '', 'note', limits.contactNoteLengthMax)
  if (user === by) throw new Refusal('field_invalid', `${field}: must be another user`, { field, rule: 'not yourself' })
  const outcome = await transaction(ctx, client => write(ctx, client, { by, user, note, field }))
  return tell(ctx, by, outcome)
}

/**
 * By an address that may be nobody's. Whether it is somebody's, and whether they may be asked, neither the answer tells
 * nor what the store has to do for it: both ways are the same statements, and one row that is written. Whoever lets the
 * caller find them by their address is asked, and is seen among the requests that were sent.
 * @throws Refusal field_invalid, limit_reached (by what the caller has), unavailable
 */
export async function requestByEmail(
  ctx: PeopleContext,
  by: string,
  input: { email: string; note?: string | undefined },
): Promise<void> {
  const email = checkEmail(input.email)
  const note = checkText(input.note ?? '', 'note', limits.contactNoteLengthMax)
  const found = await ctx.pool.query<{ id: string }>(
    `SELECT id FROM users WHERE ${folded('email')} = $1 AND erased_at IS NULL`,
    [emailKey(email)],
  )
  const known = found.rows[0]?.id
  const candidate = known === undefined || known === by ? randomUUID() : known
  const findable = (await visible(ctx, by, [candidate], 'found_by_email')).has(candidate)
  const user = findable ? candidate : randomUUID()
  const outcome = await transaction(ctx, async client => {
    try {
      return await write(ctx, client, { by, user, note, field: 'email' })
    } catch (error) {
      // Nothing was written yet. That the caller has sent too many says nothing about the other.
      if (!(error instanceof Refusal) || (error.code === 'limit_reached' && error.detail.field === undefined))
        throw error
      await addJob(ctx, { kind: 'nothing' }, client)
      return undefined
    }
  })
  // Not waited for: it is work that only a request makes.
  if (outcome !== undefined)
    tell(ctx, by, outcome).catch((error: unknown) =>
      ctx.logger.warn({ err: error }, 'unable to announce a contact request'),
    )
}

interface ToWrite {
  readonly by: string
  readonly user: string
  readonly note: string
  readonly field: string
}

/** Checks all that may fail, then writes. Whom it is not for shows only at the end, after the same questions. */
async function write(ctx: PeopleContext, client: PoolClient, { by, user, note, field }: ToWrite): Promise<Outcome> {
  const { contactRequestsSentMax: sentMax, contactRequestsReceivedMax: receivedMax } = ctx.settings
  const held = await holdUsers(client, [by, user])
  const tie = (await readCounterparts(client, by, [user])).get(user)
  const open = await client.query<OpenRequest & { to_id: string }>(
    `SELECT ${requestColumns} FROM contact_requests
      WHERE (from_id, to_id) IN (($1, $2), ($2, $1))`,
    [by, user],
  )
  const counted = await client.query<{ sent: number; received: number }>(
    `SELECT (SELECT count(*)::int FROM contact_requests WHERE from_id = $1) AS sent,
            (SELECT count(*)::int FROM contact_requests WHERE to_id = $2) AS received`,
    [by, user],
  )
  const { sent, received } = counted.rows[0]!
  const crossing = open.rows.find(row => row.from_id === user)
  if (sent >= sentMax && crossing === undefined)
    throw new Refusal('limit_reached', 'you have too many open contact requests', {
      rule: `maxItems ${sentMax}`,
    })
  if (!held.has(user) || tie === undefined) throw new Refusal('user_unknown', undefined, { field })
  demandNotBlocked(tie, 'the person', field)
  if (tie.contact) throw new Refusal('contact_exists', undefined, { field })
  if (crossing !== undefined) return { accepted: await befriend(ctx, client, crossing) }
  if (open.rows.length > 0) throw new Refusal('request_exists', undefined, { field })
  // By address it is not told: that would tell that there is somebody.
  if (received >= receivedMax)
    throw new Refusal('limit_reached', 'the user has too many open contact requests', {
      field,
      rule: `maxItems ${receivedMax}`,
    })
  const made = await client.query<OpenRequest>(
    `INSERT INTO contact_requests (id, from_id, to_id, note) VALUES ($1, $2, $3, $4) RETURNING ${requestColumns}`,
    [randomUUID(), by, user, note],
  )
  return { open: made.rows[0]! }
}

async function tell(ctx: PeopleContext, by: string, outcome: Outcome): Promise<Requested> {
  if ('accepted' in outcome) return { contact: await tellAccepted(ctx, by, outcome.accepted) }
  const { id, from_id, to_id, note, at } = outcome.open
  const [from, to] = await toldOrRefreshed(ctx, [from_id, to_id], () => get(ctx, [from_id, to_id]))
  if (from === undefined || to === undefined) throw new Refusal('user_unknown')
  const request = { id, from, to, note, at: Math.round(at) }
  ctx.emit({ class: 'signal', to: [from_id, to_id], event: { event: 'contact.requested', request } })
  await notify(ctx, {
    user: to_id,
    kind: 'contact_request',
    dedup: requestNote(id),
    actor: from_id,
    detail: { request: id },
  })
  return { request }
}
