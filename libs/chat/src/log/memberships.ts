/**
 * Who is in a conversation, cached by its membership version. The cache may be stale: every write names the version it
 * decided by, and the store refuses an old one (see inserts.ts). Conversations are held whole, but for large ones: of these
 * only the members that were asked for, since nobody needs the whole list to route by interest.
 */
import type { Role } from '@flotilla/protocol'
import type { Pool } from 'pg'
import { type ConversationKind, demandMember, roleOf, type Rules, rulesOf, type StoredRules } from '../access.ts'
import { createLoader } from '../store/loader.ts'

export interface Member {
  readonly role: Role
  readonly joinedSeq: number
  /** Until then they may not post. */
  readonly silencedUntil?: number | undefined
}

/** A conversation's members at one version. */
export interface Membership {
  readonly conversation: string
  readonly kind: ConversationKind
  readonly version: number
  readonly size: number
  /** What members may do by their role: read with the version, which rises when it changes. */
  readonly rules: Rules
  /** Direct, and one of the two has blocked the other: nothing passes. It is read with the version (P8). */
  readonly closed: boolean
  /** Direct, and one of the two has not accepted yet: they are no member, and little can be said (P8). */
  readonly pending: boolean
  /** How long messages last that are posted by it, in milliseconds; undefined is for ever. */
  readonly timerMs: number | undefined
  /** Its entries go to whoever is here of it, not to its people one by one. */
  readonly byInterest: boolean
  /** Routed by interest, not held whole, and without rows in the offline index. */
  readonly large: boolean
  /** Everybody; empty when large. */
  readonly members: ReadonlyMap<string, Member>
  /** The users of `members`, as an array: what a send is addressed to. */
  readonly users: readonly string[]
  /** The highest seq known to this process; the store may be ahead. */
  headSeen: number
}

/** Somebody's place in a conversation. */
export interface Standing {
  readonly membership: Membership
  readonly member: Member
}

export interface Memberships {
  /**
   * A member's standing: at once when it is cached, which is nearly always, so that the message path waits for nothing.
   * @throws Refusal conversation_unknown, not_a_member
   */
  demand(conversation: string, user: string): Standing | Promise<Standing>
  /** The conversation, or undefined when there is none. */
  of(conversation: string): Promise<Membership | undefined>
  /** One member; asks the store for large conversations. */
  member(membership: Membership, user: string): Promise<Member | undefined>
  /** Forgets a conversation whose version is below the one given, or whatever its version. */
  drop(conversation: string, belowVersion?: number): void
  /**
   * Forgets a membership that the store has in another version; only the version is read, since others need what is
   * cached.
   * @returns whether it has
   */
  dropIfOld(membership: Membership): Promise<boolean>
  clear(): void
}

/** As SQL: the conversation is of one person with themselves. */
export const withOneselfText = (conversation: string) =>
  `coalesce(${conversation}.direct_low = ${conversation}.direct_high, false)`

/** As SQL: it is direct, and one of the two has not accepted it yet. With oneself, there is nobody to accept it. */
export const pendingText = (conversation: string) =>
  `(${conversation}.kind = 1 AND ${conversation}.member_count < 2 AND NOT ${withOneselfText(conversation)})`

interface Row {
  id: string
  kind: number
  version: number
  head_seq: number
  member_count: number
  timer_ms: number | null
  by_interest: boolean
  large: boolean
  closed: boolean
  pending: boolean
  settings: StoredRules
  users: string[] | null
  roles: number[] | null
  joined: number[] | null
  silenced: string[] | null
  untils: number[] | null
}

export interface MembershipsOptions {
  readonly pool: Pool
  /** Conversations are forgotten, the least recently used first, when this many members are held. */
  readonly membersCachedMax: number
  readonly largeConversationMin: number
  readonly interestSettleMs: number
}

/** As SQL: whether the conversation is routed by interest. $n is for how long nodes have had to join it. */
export const byInterestText = (conversation: string, settleMs: `$${number}`) =>
  `coalesce(${conversation}.large_since < now() - ${settleMs} * interval '1 millisecond', false)`

const loadBatchMax = 500
const untilMs = 'ceil(extract(epoch FROM until) * 1000)::float8'

// oxlint-disable-next-line max-lines-per-function -- the cache and the loads under way are one state that nothing else may see
export function createMemberships(options: MembershipsOptions): Memberships {
  const { pool, membersCachedMax, largeConversationMin, interestSettleMs } = options
  /** A Map keeps insertion order: the first is the least recently used. */
  const cached = new Map<string, Membership>()
  /** Members of large conversations that were asked for, by the membership that they belong to. */
  const asked = new WeakMap<Membership, Map<string, Promise<Member | undefined>>>()
  let weight = 0
  const weigh = (one: Membership) => one.users.length + 8

  const forget = (one: Membership) => {
    cached.delete(one.conversation)
    weight -= weigh(one)
  }
  /** A sixteenth at once: V8 looks for the first behind all that were deleted before it. */
  const forgetOldest = (but: Membership) => {
    for (const oldest of cached.values()) {
      if (weight <= membersCachedMax * (15 / 16) || oldest === but) break
      forget(oldest)
    }
  }
  const remember = (one: Membership) => {
    const before = cached.get(one.conversation)
    // A load that was under way while a newer one finished must not put the older version back.
    if (before !== undefined && before.version > one.version) return before
    if (before !== undefined) forget(before)
    // Whoever unblocks must be heard at once, and an unblocked send would never get so far as to be found stale.
    // And while one of the two is asked, each message is decided by what the store says.
    if (one.closed || one.pending) return one
    cached.set(one.conversation, one)
    weight += weigh(one)
    if (weight > membersCachedMax) forgetOldest(one)
    return one
  }

  const load = createLoader<Membership>(async ids => {
    // One statement, one snapshot: the version, the members and the blocks belong together.
    const found = await pool.query<Row>({
      name: 'memberships-load',
      text: `SELECT c.id, c.kind, c.version, c.head_seq, c.member_count, c.settings, c.timer_ms, l.by_interest, l.large, m.users, m.roles, m.joined,
                    s.silenced, s.untils,
                    c.kind = 1 AND EXISTS (
                      SELECT FROM blocks b WHERE (b.user_id, b.blocked_id)
                          IN ((c.direct_low, c.direct_high), (c.direct_high, c.direct_low))
                    ) AS closed, ${pendingText('c')} AS pending
               FROM conversations c
               CROSS JOIN LATERAL (SELECT ${byInterestText('c', '$2')} AS by_interest) i
               CROSS JOIN LATERAL (SELECT i.by_interest, i.by_interest AND c.member_count > $3 AS large) l
               LEFT JOIN LATERAL (
                 SELECT array_agg(user_id) AS users, array_agg(role::int) AS roles, array_agg(joined_seq) AS joined
                   FROM members WHERE conversation_id = c.id
               ) m ON NOT l.large
               LEFT JOIN LATERAL (
                 SELECT array_agg(user_id) AS silenced, array_agg(${untilMs}) AS untils
                   FROM group_silences WHERE conversation_id = c.id
               ) s ON NOT l.large
              WHERE c.id = ANY($1)`,
      values: [ids, interestSettleMs, largeConversationMin],
    })
    return new Map(found.rows.map(row => [row.id, remember(fromRow(row))]))
  }, loadBatchMax)

  /**
   * Whoever asks while a load is under way waits for that one: with a load of their own they would be overtaken by a
   * later one that finds the first load's answer in the cache, and a connection's messages would change their order.
   */
  const loading = new Map<string, Promise<Membership | undefined>>()
  const loadOnce = (conversation: string): Promise<Membership | undefined> => {
    const underWay = loading.get(conversation)
    if (underWay !== undefined) return underWay
    const begun = load(conversation).finally(() => {
      if (loading.get(conversation) === begun) loading.delete(conversation)
    })
    loading.set(conversation, begun)
    return begun
  }

  /** The order of use matters only when something will have to be forgotten. */
  const look = (conversation: string): Membership | undefined => {
    const hit = cached.get(conversation)
    if (hit !== undefined && weight > membersCachedMax / 2) {
      cached.delete(conversation)
      cached.set(conversation, hit)
    }
    return hit
  }

  const memberships: Memberships = {
    demand(conversation, user) {
      const membership = look(conversation)
      const member = membership?.members.get(user)
      return membership !== undefined && member !== undefined
        ? { membership, member }
        : demandSlowly(conversation, user)
    },
    async of(conversation) {
      return look(conversation) ?? loadOnce(conversation)
    },
    async member(membership, user) {
      if (!membership.large) return membership.members.get(user)
      const known = asked.get(membership) ?? new Map<string, Promise<Member | undefined>>()
      asked.set(membership, known)
      const found = known.get(user) ?? loadMember(pool, membership.conversation, user)
      if (!known.has(user) && known.size < membersCachedMax) known.set(user, found)
      found.catch(() => known.delete(user))
      return found
    },
    drop(conversation, belowVersion = Number.POSITIVE_INFINITY) {
      const hit = cached.get(conversation)
      if (hit !== undefined && hit.version < belowVersion) forget(hit)
      // A load that is under way may have its answer from before the change.
      loading.delete(conversation)
    },
    async dropIfOld({ conversation, version }) {
      const found = await pool.query<{ version: number }>({
        name: 'memberships-version',
        text: 'SELECT version FROM conversations WHERE id = $1',
        values: [conversation],
      })
      const isOld = found.rows[0]?.version !== version
      if (isOld) memberships.drop(conversation, version + 1)
      return isOld
    },
    clear() {
      cached.clear()
      loading.clear()
      weight = 0
    },
  }

  async function demandSlowly(conversation: string, user: string): Promise<Standing> {
    const known = cached.get(conversation)
    const isReadBefore = known !== undefined || loading.has(conversation)
    let membership = await memberships.of(conversation)
    let member = membership === undefined ? undefined : await memberships.member(membership, user)
    if (member === undefined && membership !== undefined && isReadBefore) {
      // Somebody who has just been added must not be refused because this process has not heard of it.
      if (membership === cached.get(conversation)) forget(membership)
      membership = await load(conversation)
      member = membership === undefined ? undefined : await memberships.member(membership, user)
    }
    demandMember(membership !== undefined, member)
    return { membership: membership!, member }
  }

  return memberships
}

function fromRow(row: Row): Membership {
  const users = row.users ?? []
  const silenced = new Map(row.silenced?.map((user, at) => [user, row.untils![at]!]))
  const members = new Map(
    users.map((user, at) => [
      user,
      { role: roleOf(row.roles![at]!), joinedSeq: row.joined![at]!, silencedUntil: silenced.get(user) },
    ]),
  )
  const kind = row.kind === 1 ? 'direct' : 'group'
  return {
    conversation: row.id,
    kind,
    rules: rulesOf(kind, row.settings),
    version: row.version,
    size: row.member_count,
    closed: row.closed,
    pending: row.pending,
    timerMs: row.timer_ms ?? undefined,
    byInterest: row.by_interest,
    large: row.large,
    members,
    users,
    headSeen: row.head_seq,
  }
}

async function loadMember(pool: Pool, conversation: string, user: string): Promise<Member | undefined> {
  const found = await pool.query<{ role: number; joined_seq: number; until: number | null }>({
    name: 'memberships-member',
    text: `SELECT m.role, m.joined_seq, ${untilMs} AS until
             FROM members m LEFT JOIN group_silences s USING (conversation_id, user_id)
            WHERE m.conversation_id = $1 AND m.user_id = $2`,
    values: [conversation, user],
  })
  const row = found.rows[0]
  if (row === undefined) return undefined
  return { role: roleOf(row.role), joinedSeq: row.joined_seq, silencedUntil: row.until ?? undefined }
}
