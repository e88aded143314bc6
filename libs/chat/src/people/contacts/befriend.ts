/** Two people become contacts: what accepting a request and two crossing requests have in common. */
import { type Contact, Refusal } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import type { PeopleContext } from '../context.ts'
import { settleDirect } from '../../log/conversations/create-direct.ts'
import { add as notify } from '../../notices/notifications/add.ts'
import { withdraw } from '../../notices/notifications/follow.ts'
import { toldOrRefreshed } from '../../store/told-or-refreshed.ts'
import { get } from '../../users/get.ts'

export interface OpenRequest {
  readonly id: string
  readonly from_id: string
  readonly to_id: string
  readonly note: string
  /** Milliseconds since 1970. */
  readonly at: number
}

export const requestColumns = 'id, from_id, to_id, note, (extract(epoch FROM created_at) * 1000)::float8 AS at'

/** What the notification of a request is called. */
export const requestNote = (request: string) => `contact-request ${request}`

export interface Accepted {
  readonly request: string
  /** Whose request it was. */
  readonly from: string
  readonly to: string
  /** Milliseconds since 1970. */
  readonly at: number
}

/**
 * Turns a request into two contacts.
 * @param client of a transaction that holds both of the people
 * @throws Refusal request_unknown (decided meanwhile), limit_reached
 */
export async function befriend(
  ctx: Pick<PeopleContext, 'settings'>,
  client: PoolClient,
  request: OpenRequest,
): Promise<Accepted> {
  const { contactsMax } = ctx.settings
  const { id, from_id: from, to_id: to } = request
  const gone = await client.query('DELETE FROM contact_requests WHERE id = $1', [id])
  if (gone.rowCount === 0) throw new Refusal('request_unknown')
  const counted = await client.query<{ most: number }>(
    `SELECT max(contacts)::int AS most FROM unnest($1::uuid[]) AS u (id)
      CROSS JOIN LATERAL (SELECT count(*) AS contacts FROM contacts WHERE user_id = u.id) c`,
    [[from, to]],
  )
  if (counted.rows[0]!.most >= contactsMax)
    throw new Refusal('limit_reached', 'one of the users has reached the limit of contacts', {
      rule: `maxItems ${contactsMax}`,
    })
  const made = await client.query<{ at: number }>(
    `INSERT INTO contacts (user_id, contact_id) VALUES ($1, $2), ($2, $1)
     RETURNING (extract(epoch FROM created_at) * 1000)::float8 AS at`,
    [from, to],
  )
  return { request: id, from, to, at: Math.round(made.rows[0]!.at) }
}

/** After the commit. @returns the contact that the caller got */
export async function tellAccepted(ctx: PeopleContext, by: string, accepted: Accepted): Promise<Contact> {
  const { request, from, to, at } = accepted
  const [sender, receiver] = await toldOrRefreshed(ctx, [from, to], () => get(ctx, [from, to]))
  if (sender === undefined || receiver === undefined) throw new Refusal('user_unknown')
  ctx.emit({ class: 'signal', to: [from], event: { event: 'contact.accepted', request, user: receiver } })
  ctx.emit({ class: 'signal', to: [to], event: { event: 'contact.accepted', request, user: sender } })
  await settleDirect(ctx, from, to)
  await withdraw(ctx, to, requestNote(request))
  await notify(ctx, {
    user: from,
    kind: 'contact_accepted',
    dedup: `contact-accepted ${request}`,
    actor: to,
    detail: { request },
  })
  return { user: by === from ? receiver : sender, at }
}
