/** What people are to one person, and what they decided about others: the facts that access.ts decides by. */
import type { Audience } from '@flotilla/protocol'
import type { Pool, PoolClient } from 'pg'
import { audienceOf, type Tie } from '../access.ts'

/** What somebody shows to everyone, to contacts, or to nobody. */
export type PrivacySetting = 'last_seen' | 'read_receipts' | 'found_by_email'

/** A person as they stand to another. */
export interface Counterpart extends Tie {
  /** They are contacts, or the person is in the direct conversation of the two: has begun it, or has accepted it. */
  readonly known: boolean
  readonly to: Readonly<Record<PrivacySetting, Audience>>
  /** The number of directFromNumbers; null when the deployment decides. */
  readonly directFrom: number | null
}

interface Row {
  id: string
  last_seen_to: number
  read_receipts_to: number
  found_by_email_to: number
  direct_from: number | null
  contact: boolean
  blocked: boolean
  written: boolean
}

/**
 * How these people stand to one person. Who does not exist, or was erased, is left out.
 * @param client the pool, or the connection of a transaction that holds their rows
 */
export async function readCounterparts(
  client: Pool | PoolClient,
  of: string,
  users: readonly string[],
): Promise<Map<string, Counterpart>> {
  if (users.length === 0) return new Map()
  const found = await client.query<Row>({
    name: 'counterparts',
    text: `SELECT u.id, u.last_seen_to, u.read_receipts_to, u.found_by_email_to, u.direct_from,
                  EXISTS (SELECT FROM contacts c WHERE c.user_id = $1 AND c.contact_id = u.id) AS contact,
                  EXISTS (SELECT FROM blocks b
                           WHERE (b.user_id, b.blocked_id) IN ((u.id, $1), ($1, u.id))) AS blocked,
                  EXISTS (SELECT FROM conversations d JOIN members m ON m.conversation_id = d.id AND m.user_id = u.id
                           WHERE d.kind = 1 AND d.direct_low = least(u.id, $1) AND d.direct_high = greatest(u.id, $1)
                         ) AS written
             FROM users u WHERE u.id = ANY($2) AND u.erased_at IS NULL`,
    values: [of, users],
  })
  return new Map(
    found.rows.map(row => [
      row.id,
      {
        contact: row.contact,
        blocked: row.blocked,
        known: row.contact || row.written,
        to: {
          last_seen: audienceOf(row.last_seen_to),
          read_receipts: audienceOf(row.read_receipts_to),
          found_by_email: audienceOf(row.found_by_email_to),
        },
        directFrom: row.direct_from,
      },
    ]),
  )
}
