/**
 * What people keep back in conversations: read receipts, when they are here, and everything across a block. Nearly nobody keeps back
 * anything, and every receipt and every direct typing asks: so it is cached, and costs one look into a map. Whoever
 * changes it, in either direction, is named by the next pulse and forgotten here.
 */
import type { Audience } from '@flotilla/protocol'
import { LRUCache } from 'lru-cache'
import type { Pool } from 'pg'
import { audienceOf } from '../access.ts'
import { createLoader } from '../store/loader.ts'

/** What one person keeps back. */
export interface Restriction {
  readonly readReceiptVisibility: Audience
  /** What has arrived tells when somebody was here, as presence does. */
  readonly lastSeenVisibility: Audience
  /** With whom a block stands between, in either direction; undefined when they are too many to be held. */
  readonly blocked: ReadonlySet<string> | undefined
}

export interface Restrictions {
  of(user: string): Restriction | Promise<Restriction>
  forget(users: Iterable<string>): void
}

/** Of those who keep back nothing: one value for all of them, so that they are told by it. */
export const unrestricted: Restriction = {
  readReceiptVisibility: 'everyone',
  lastSeenVisibility: 'everyone',
  blocked: new Set(),
}
/** Of somebody who is gone. */
const silent: Restriction = { readReceiptVisibility: 'nobody', lastSeenVisibility: 'nobody', blocked: undefined }

/** People who are held, everybody blocked counting as one more; those that were asked for least lately are forgotten. */
const cachedMax = 200_000
const blockedHeldMax = 500
const loadBatchMax = 500

interface Row {
  id: string
  read_receipts_to: number
  last_seen_to: number
  blocked: string[]
}

/** The limits are inside, so that somebody whom a crowd has blocked costs no more than others. */
const text = `
SELECT u.id, u.read_receipts_to, u.last_seen_to,
       ARRAY(SELECT blocked_id FROM blocks WHERE user_id = u.id LIMIT ${blockedHeldMax + 1})
       || ARRAY(SELECT user_id FROM blocks WHERE blocked_id = u.id LIMIT ${blockedHeldMax + 1}) AS blocked
  FROM users u WHERE u.id = ANY($1) AND u.erased_at IS NULL`

export function createRestrictions(options: { pool: Pool }): Restrictions {
  const { pool } = options
  const cached = new LRUCache<string, Restriction>({ maxSize: cachedMax, sizeCalculation: weigh })
  /** What is under way; an answer that was forgotten meanwhile is not remembered. */
  const loading = new Map<string, Promise<Restriction>>()

  const load = createLoader<Restriction>(async users => {
    const found = await pool.query<Row>({ name: 'restrictions', text, values: [users] })
    return new Map(found.rows.map(row => [row.id, fromRow(row)]))
  }, loadBatchMax)

  function look(user: string): Promise<Restriction> {
    const underWay = loading.get(user)
    if (underWay !== undefined) return underWay
    const begun = load(user).then(
      (found = silent) => {
        if (loading.get(user) === begun) {
          loading.delete(user)
          cached.set(user, found)
        }
        return found
      },
      (error: unknown) => {
        if (loading.get(user) === begun) loading.delete(user)
        throw error
      },
    )
    loading.set(user, begun)
    return begun
  }

  return {
    of: user => cached.get(user) ?? look(user),
    forget(users) {
      for (const user of users) {
        cached.delete(user)
        loading.delete(user)
      }
    },
  }
}

const weigh = (restriction: Restriction) => 1 + (restriction.blocked?.size ?? 0)

function fromRow(row: Row): Restriction {
  const readReceiptVisibility = audienceOf(row.read_receipts_to)
  const lastSeenVisibility = audienceOf(row.last_seen_to)
  if (readReceiptVisibility === 'everyone' && lastSeenVisibility === 'everyone' && row.blocked.length === 0)
    return unrestricted
  return {
    readReceiptVisibility,
    lastSeenVisibility,
    blocked: row.blocked.length > blockedHeldMax ? undefined : new Set(row.blocked),
  }
}
