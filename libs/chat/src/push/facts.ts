/**
 * What decides whether somebody is pushed about a conversation. Asked when a push is prepared, and once more in the
 * moment before it is sent: what was read elsewhere, muted, blocked or left meanwhile is not pushed (P8).
 */
import type { Pool, PoolClient } from 'pg'
import { type QuietHours, quietUntil } from './quiet-hours.ts'
import { int8Array, uuidArray } from '../store/binary-arrays.ts'
import { firstSeen, notHidden } from '../log/messages/hidden.ts'
import { concerns, isFollowed } from '../log/messages/threads.ts'
import { pushedKinds } from '../log/rules.ts'
import { kindNumbersOfConversations, notifyNumbers } from '../access.ts'
import { notifyText } from '../log/conversations/notify.ts'
import { everybody } from '../log/messages/mentioned-by.ts'

export interface PushTarget {
  readonly user: string
  readonly conversation: string
  /** What came later is for the next push. */
  readonly uptoSeq: number
  /** When what it is about began, in milliseconds since 1970: a reminder of before is for no push of now. */
  readonly since: number
}

export interface Facts {
  readonly erased: boolean
  readonly member: boolean
  /** Nothing tells them of the conversation, for now or for good. */
  readonly muted: boolean
  readonly quiet: QuietHours | undefined
  /** The person has asked to be reminded of a message here, now; that they have muted it for others says nothing. */
  readonly reminded: boolean
  /** Whether the person wants names in a push. */
  readonly names: boolean
  /** Of a group. */
  readonly groupName: string | undefined
  /** Messages of others that wait for the person here and that they want to be told of, up to `countedMax`. */
  readonly count: number
  /** The thread that alone shows all of them. */
  readonly thread: number | undefined
  /** Who wrote them, the latest first; not all of many. */
  readonly senders: readonly string[]
}

/** More than this is shown as so many. */
const countedMax = 100
const sendersNamedMax = 3

/** $1 people, $2 conversations, $3 up to which seq, $7 since when. One row for each, in their order. */
const findFacts = `
SELECT u.id IS NULL OR u.erased_at IS NOT NULL AS erased, m.user_id IS NOT NULL AS member,
       r.notify = ${notifyNumbers.nothing} AS muted, u.quiet_from, u.quiet_until, u.quiet_zone,
       coalesce(u.push_names, false) AS names, CASE WHEN c.kind = $5 THEN c.name END AS group_name, w.count, w.senders, w.thread,
       EXISTS (SELECT FROM notifications x
                WHERE x.user_id = ($1::uuid[])[n] AND x.read_at IS NULL AND x.kind = 'reminder'
                  AND x.detail->>'conversation' = ($2::uuid[])[n]::text AND NOT x.detail ? 'gone'
                  AND x.at >= timestamptz 'epoch' + ($7::int8[])[n] * interval '1 millisecond') AS reminded
  FROM generate_series(1, cardinality($1::uuid[])) n
  LEFT JOIN users u ON u.id = ($1::uuid[])[n]
  LEFT JOIN conversations c ON c.id = ($2::uuid[])[n]
  LEFT JOIN members m ON m.conversation_id = ($2::uuid[])[n] AND m.user_id = ($1::uuid[])[n]
  CROSS JOIN LATERAL (SELECT ${notifyText} AS notify) r
  CROSS JOIN LATERAL (
    WITH waiting AS MATERIALIZED (
      SELECT DISTINCT ON (o.seq) o.seq, x.sender_id, x.aside_of
        FROM offline_messages o
        JOIN messages x ON x.conversation_id = o.conversation_id AND x.seq = o.seq
       WHERE o.user_id = ($1::uuid[])[n] AND o.conversation_id = ($2::uuid[])[n] AND o.seq <= ($3::int8[])[n]
         AND o.seq >= ${firstSeen('m')} AND o.seq > m.delivered_seq AND x.kind IN (${pushedKinds}) AND x.sender_id <> o.user_id
         AND x.removed_at IS NULL AND ${notHidden('x', 'o.user_id')}
         AND (x.expires_at IS NULL OR x.expires_at > now())
         AND ${concerns('x', 'o.user_id')}
         AND (r.notify = ${notifyNumbers.all} OR EXISTS (
           SELECT FROM mentions y WHERE y.conversation_id = o.conversation_id AND y.seq = o.seq
              AND y.user_id IN (o.user_id, '${everybody}')) OR ${isFollowed('x', 'o.user_id')})
         AND NOT EXISTS (SELECT FROM blocks b WHERE b.user_id = o.user_id AND b.blocked_id = x.sender_id)
       ORDER BY o.seq DESC LIMIT $4
    )
    SELECT (SELECT count(*)::int FROM waiting) AS count,
           (SELECT min(aside_of) FROM waiting
            HAVING bool_and(aside_of IS NOT NULL) AND min(aside_of) = max(aside_of)) AS thread,
           ARRAY(SELECT s.display_name
                   FROM (SELECT sender_id, max(seq) AS last FROM waiting GROUP BY sender_id ORDER BY last DESC LIMIT $6) l
                   JOIN users s ON s.id = l.sender_id ORDER BY l.last DESC) AS senders
  ) w
 ORDER BY n`

interface Row {
  erased: boolean
  member: boolean
  muted: boolean
  reminded: boolean
  quiet_from: number | null
  quiet_until: number | null
  quiet_zone: string | null
  names: boolean
  group_name: string | null
  count: number
  thread: number | null
  senders: string[]
}

/** @returns for each of the places, in their order */
export async function findFactsOf(client: Pool | PoolClient, places: readonly PushTarget[]): Promise<Facts[]> {
  const found = await client.query<Row>({
    name: 'push-facts',
    text: findFacts,
    values: [
      uuidArray(places.map(place => place.user)),
      uuidArray(places.map(place => place.conversation)),
      int8Array(places.map(place => place.uptoSeq)),
      countedMax,
      kindNumbersOfConversations.group,
      sendersNamedMax,
      int8Array(places.map(place => Math.floor(place.since))),
    ],
  })
  return found.rows.map(row => ({
    ...row,
    quiet:
      row.quiet_from === null || row.quiet_until === null || row.quiet_zone === null
        ? undefined
        : { from: row.quiet_from, until: row.quiet_until, zone: row.quiet_zone },
    groupName: row.group_name ?? undefined,
    thread: row.thread ?? undefined,
  }))
}

/** Why somebody is not pushed. */
export type SkipReason = 'erased' | 'not_a_member' | 'muted' | 'nothing_waits' | 'no_device'
export type Verdict = 'push' | { readonly skip: SkipReason } | { readonly waitMs: number }

/** Whether the person is pushed now, later or not at all. */
export function judge(facts: Facts, now: number): Verdict {
  if (facts.erased) return { skip: 'erased' }
  if (!facts.member) return { skip: 'not_a_member' }
  if (facts.muted && !facts.reminded) return { skip: 'muted' }
  if (facts.count === 0 && !facts.reminded) return { skip: 'nothing_waits' }
  const until = quietUntil(facts.quiet, now)
  return until === undefined ? 'push' : { waitMs: until - now }
}
