/**
 * Whether sessions are good, for callers that ask all the time: each REST request and each socket that opens. What is
 * asked in one turn of the loop is one query, so that a reconnect storm costs the store hundreds of queries, not
 * hundreds of thousands. The ids come out of signed tokens and tickets, so they are well-formed.
 */
import { LRUCache } from 'lru-cache'
import type { Pool } from 'pg'
import { createLoader } from '../../store/loader.ts'
import { uuidArray } from '../../store/binary-arrays.ts'
import { isSuspended, type Suspension, suspendedUntil } from './suspension.ts'

/** Whose session it is. Of a suspended person every one is told, so that they hear why nothing works. */
export interface Checked {
  readonly user: string
  readonly suspension?: Suspension
}

export interface Admission {
  /** Then the rest means nothing. */
  readonly suspended: boolean
  /** The person's conversations that are routed by interest, so that the node must join them. */
  readonly interests: readonly Interested[]
}

export interface Interested {
  readonly conversation: string
  readonly version: number
  /** The person sees the entries from this seq on. */
  readonly joinedSeq: number
}

export interface Admissions {
  /** Whose session this is, while it is good or its person is suspended. Cached for a second. */
  check(session: string): Promise<Checked | undefined>
  /** Undefined when the session is not good, and nobody suspended, or belongs to somebody else. Never cached. */
  admit(user: string, session: string): Promise<Admission | undefined>
  /** Sessions that ended: the next check asks the store. */
  forget(sessions: readonly string[]): void
}

const batchMax = 500
const checkedForMs = 1_000
const checkedMax = 20_000

/** Also where one was left open: a suspension counts by itself. */
const known = `(${isSuspended('u')} OR (s.revoked_at IS NULL AND s.expires_at > now()))`

const checkSessions = `
SELECT s.id, s.user_id, ${isSuspended('u')} AS suspended, ${suspendedUntil('u')} AS until
  FROM sessions s JOIN users u ON u.id = s.user_id
 WHERE s.id = ANY($1) AND ${known}`

/** Of most people the lateral part finds nothing. */
const admitSessions = `
SELECT s.id, s.user_id, ${isSuspended('u')} AS suspended, l.conversations, l.versions, l.joined
  FROM sessions s JOIN users u ON u.id = s.user_id
  CROSS JOIN LATERAL (
    SELECT array_agg(c.id) AS conversations, array_agg(c.version) AS versions, array_agg(m.joined_seq) AS joined
      FROM members m JOIN conversations c ON c.id = m.conversation_id
     WHERE m.user_id = s.user_id AND c.large_since IS NOT NULL
  ) l
 WHERE s.id = ANY($1) AND ${known}`

interface SessionRow {
  id: string
  user_id: string
  suspended: boolean
}

interface CheckRow extends SessionRow {
  until: number | null
}

interface AdmitRow extends SessionRow {
  conversations: string[] | null
  versions: number[] | null
  joined: number[] | null
}

type Answer = Promise<Checked | undefined>

export function createAdmissions(options: { pool: Pool; steady?: () => number }): Admissions {
  const { pool, steady = () => performance.now() } = options
  /** By session. The time is that of the question, so that no answer is trusted for longer than it may be. */
  const checked = new LRUCache<string, { at: number; answer: Answer }>({ max: checkedMax })

  const loadUser = createLoader<Checked>(async ids => {
    const found = await pool.query<CheckRow>({
      name: 'sessions-check',
      text: checkSessions,
      values: [uuidArray(ids)],
    })
    return new Map(found.rows.map(row => [row.id, checkedOf(row)]))
  }, batchMax)

  const loadAdmission = createLoader<Admission & { user: string }>(async ids => {
    const found = await pool.query<AdmitRow>({
      name: 'sessions-admit',
      text: admitSessions,
      values: [uuidArray(ids)],
    })
    return new Map(
      found.rows.map(row => [row.id, { user: row.user_id, suspended: row.suspended, interests: interestsOf(row) }]),
    )
  }, batchMax)

  return {
    check(session) {
      const now = steady()
      const known = checked.get(session)
      if (known !== undefined && now - known.at < checkedForMs) return known.answer
      const answer = loadUser(session)
      checked.set(session, { at: now, answer })
      answer.catch(() => {
        if (checked.peek(session)?.answer === answer) checked.delete(session)
      })
      return answer
    },
    async admit(user, session) {
      const found = await loadAdmission(session)
      return found?.user === user ? { suspended: found.suspended, interests: found.interests } : undefined
    },
    forget(sessions) {
      for (const session of sessions) checked.delete(session)
    },
  }
}

function checkedOf({ user_id: user, suspended, until }: CheckRow): Checked {
  return suspended ? { user, suspension: { until: until ?? undefined } } : { user }
}

function interestsOf(row: AdmitRow): Interested[] {
  return (row.conversations ?? []).map((conversation, at) => ({
    conversation,
    version: row.versions![at]!,
    joinedSeq: row.joined![at]!,
  }))
}
