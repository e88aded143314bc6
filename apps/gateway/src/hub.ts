/**
 * Who is on this node. DOWN ends here: an encoded frame and the people it is for, put on their sockets. The hub decides
 * no permission and reads no SQL; of conversations that go by interest it knows the members that are here, by version, and asks
 * to be told anew when a frame carries a later version than it knows (P8).
 */
import type { sync } from '@flotilla/chat'
import { type DeliveryClass, type Entry, limits, Refusal } from '@flotilla/protocol'
import { type Delivery, type Interest, type RoutedEntry, setLatest } from '@flotilla/routing'
import type { Connection, Frame } from './connection.ts'

/** Members of a conversation that goes by interest, as far as they are on this node. */
interface Local {
  /** The membership version that `joined` stands at. */
  version: number
  /** Person → the seq from which on they see the conversation. */
  readonly joined: Map<string, number>
  /** Frames that wait for the members to be read anew; undefined when they are known. */
  waiting: Waiting[] | undefined
  /** Who was noted while the members are being read, and at which version: the answer may be older than that. */
  readonly noted: Map<string, number>
}

interface Waiting {
  readonly version: number
  readonly frame: string
  readonly entry: RoutedEntry
  readonly origin: object | undefined
}

/** A person's place in a conversation that goes by interest. */
export interface InterestedMember {
  readonly conversation: string
  readonly version: number
  readonly joinedSeq: number
}

export interface HubPorts {
  /** Who of these people is in a conversation; undefined when there is none. */
  readMembers(conversation: string, users: readonly string[]): Promise<sync.LocalMembers | undefined>
  /** The first person of a conversation that goes by interest came to this node, or the last one left. */
  onJoin(conversation: string): void
  onLeave(conversation: string): void
  /** The membership of a conversation changed: what is cached of it below this version is stale. */
  onMembership(conversation: string, version: number): void
  /** These people, who are here, are members of a conversation no more. */
  onGone(users: readonly string[]): void
  /** An entry was put on sockets here that was committed then. */
  onEntry(committedAt: number): void
  /** Frames could not be delivered for a fault of the store. */
  onLost(error: unknown): void
  /** What people are in became known here only now: what was said since so many ms ago may have missed them. */
  onLate(ageMs: number): void
}

/** How often the members are read for one frame that is ahead of them. */
const readsMax = 5
/** Between two attempts to read members while the store is away. */
const rereadPauseMs = 1_000
/** Changes of which it is remembered that they are known here, and that their entry came. */
const changesHeardMax = 10_000

const placeKey = ({ conversation, seq }: Pick<RoutedEntry, 'conversation' | 'seq'>) => `${conversation} ${seq}`

/** Below this the sockets encode a frame as fast as it is shared. */
const sharedCharsMin = 1_024

/** A long frame that many get is encoded once, and not by each of their sockets. */
const share = (frame: string, people: number): Frame =>
  people > 1 && frame.length >= sharedCharsMin ? Buffer.from(frame) : frame

export class Hub {
  /** A person's connections; the bare connection while there is only one, which is nearly always. */
  private readonly people = new Map<string, Connection | Set<Connection>>()
  private readonly watchers = new Map<string, Set<Connection>>()
  private readonly locals = new Map<string, Local>()
  private readonly changesHeard = new Map<string, true>()
  /** The highest version of conversations whose membership changed lately. */
  private readonly versions = new Map<string, number>()
  /** By conversation: whose place in it could not be read, and since when (by performance.now()). */
  private readonly unread = new Map<string, { readonly users: Set<string>; readonly sinceMs: number }>()
  private rereading = false
  private stopped = false
  private readonly ports: HubPorts
  connections = 0

  constructor(ports: HubPorts) {
    this.ports = ports
  }

  /** @returns whether it is the person's first connection here */
  add(connection: Connection): boolean {
    this.connections++
    const present = this.people.get(connection.user)
    if (present === undefined) this.people.set(connection.user, connection)
    else if (present instanceof Set) present.add(connection)
    else this.people.set(connection.user, new Set([present, connection]))
    return present === undefined
  }

  /** @returns whether it was the person's last connection here */
  remove(connection: Connection): boolean {
    const present = this.people.get(connection.user)
    if (present === connection) this.people.delete(connection.user)
    else if (!(present instanceof Set) || !present.delete(connection)) return false
    this.connections--
    if (present instanceof Set && present.size > 0) return false
    this.people.delete(connection.user)
    for (const conversation of connection.interests ?? []) this.forgetMember(conversation, connection.user)
    return true
  }

  /** The oldest of the person's connections here that are too many beside this new one: of its session, and in all. */
  surplus(
    newest: Connection,
    max: { readonly connectionsPerSessionMax: number; readonly connectionsPerPersonMax: number },
  ): Connection[] {
    const present = this.people.get(newest.user)
    if (!(present instanceof Set)) return []
    const ofSession = [...present].filter(one => one.session === newest.session)
    const surplus = new Set(ofSession.slice(0, Math.max(0, ofSession.length - max.connectionsPerSessionMax)))
    const left = [...present].filter(one => !surplus.has(one))
    return [...surplus, ...left.slice(0, Math.max(0, left.length - max.connectionsPerPersonMax))]
  }

  users(): IterableIterator<string> {
    return this.people.keys()
  }

  has(user: string): boolean {
    return this.people.has(user)
  }

  connectionsOf(user: string): number {
    const present = this.people.get(user)
    return present instanceof Set ? present.size : present === undefined ? 0 : 1
  }

  /** The connections of a person. */
  *of(user: string): IterableIterator<Connection> {
    const present = this.people.get(user)
    if (present instanceof Set) yield* present
    else if (present !== undefined) yield present
  }

  /** Every connection, the people in the order in which they came. */
  *inOrder(): IterableIterator<Connection> {
    for (const present of this.people.values())
      if (present instanceof Set) yield* present
      else yield present
  }

  /** Every connection, as of now: closing one while going through them is fine. */
  all(): Connection[] {
    return [...this.inOrder()]
  }

  /**
   * Puts a frame on the sockets of these people. What is ephemeral and was decided by a membership that is known to be
   * over is dropped: by the later one it might be for others (P8).
   * @param origin the connection that has it already
   * @returns those who have no socket here
   */
  deliver(users: readonly string[], frame: string, delivery: Delivery, origin?: object): readonly string[] {
    if (delivery.class === 'ephemeral' && this.isOver(delivery.asOf)) return []
    const shared = share(frame, users.length)
    let missing: string[] | undefined
    let reached = false
    for (const user of users) {
      const present = this.people.get(user)
      if (present === undefined) {
        missing ??= []
        missing.push(user)
      } else if (this.put(present, shared, delivery.class, origin)) reached = true
    }
    const entry = delivery.class === 'entry' ? delivery.entry : undefined
    if (reached && entry?.at !== undefined) this.ports.onEntry(entry.at)
    if (entry?.membership !== undefined) {
      setLatest(this.changesHeard, placeKey(entry), true, changesHeardMax)
      void this.followMembership(entry.conversation, users, entry.membership)
    }
    return missing ?? []
  }

  private isOver(asOf: Interest | undefined): boolean {
    return asOf !== undefined && asOf.version < (this.versions.get(asOf.conversation) ?? 0)
  }

  /** Puts a frame of this node's own on the sockets of a person. */
  tell(user: string, frame: string): void {
    const present = this.people.get(user)
    if (present !== undefined) this.put(present, frame, 'control', undefined)
  }

  /** Whether the entry of a change of membership came here lately. */
  heard(entry: Pick<RoutedEntry, 'conversation' | 'seq'>): boolean {
    return this.changesHeard.has(placeKey(entry))
  }

  /** The membership of a conversation has come to this version. */
  learnMembership(conversation: string, version: number): void {
    if (version > (this.versions.get(conversation) ?? 0))
      setLatest(this.versions, conversation, version, changesHeardMax)
    this.ports.onMembership(conversation, version)
  }

  /** @returns whether a socket here got it */
  private put(
    present: Connection | Set<Connection>,
    frame: Frame,
    as: DeliveryClass,
    origin: object | undefined,
  ): boolean {
    if (present instanceof Set) {
      let reached = false
      for (const one of present) if (this.put(one, frame, as, origin)) reached = true
      return reached
    }
    if (present === origin) return false
    present.push(frame, as)
    return true
  }

  // ── by interest ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** A person who is here is in a conversation that goes by interest: told at connect and when the membership changes. */
  noteMember(conversation: string, version: number, user: string, joinedSeq: number): void {
    const local = this.locals.get(conversation)
    if (local === undefined) {
      const joined = new Map([[user, joinedSeq]])
      this.locals.set(conversation, { version, joined, waiting: undefined, noted: new Map() })
      this.ports.onJoin(conversation)
      return
    }
    local.joined.set(user, joinedSeq)
    // Read at different times, the members stand at no one version: the lower one makes the next frame read them anew.
    local.version = Math.min(local.version, version)
    if (local.waiting !== undefined) local.noted.set(user, version)
  }

  /** The same of whoever has connected before: their connections remember it, so that they leave it with them. */
  enter(user: string, { conversation, version, joinedSeq }: InterestedMember): void {
    if (!this.people.has(user)) return
    this.noteMember(conversation, version, user, joinedSeq)
    for (const connection of this.of(user))
      if (!connection.interests?.includes(conversation))
        connection.interests = [...(connection.interests ?? []), conversation]
  }

  /** The members of a conversation that goes by interest who are here; undefined when none is, or it does not. */
  localMembers(conversation: string): string[] | undefined {
    const local = this.locals.get(conversation)
    return local === undefined ? undefined : [...local.joined.keys()]
  }

  private forgetMember(conversation: string, user: string): void {
    const local = this.locals.get(conversation)
    if (local === undefined) return
    local.joined.delete(user)
    this.dropEmpty(conversation, local)
  }

  /** Somebody was no member at this version. They may have been added again since: then the next frame reads it anew. */
  private takeOut(conversation: string, user: string, version: number): void {
    const local = this.locals.get(conversation)
    if (local === undefined || version >= local.version) this.forgetMember(conversation, user)
    else local.version = version
  }

  /** Ends the interest in a conversation that nobody here is in any longer. */
  private dropEmpty(conversation: string, local: Local): void {
    if (local.joined.size > 0 || local.waiting !== undefined || this.locals.get(conversation) !== local) return
    this.locals.delete(conversation)
    this.ports.onLeave(conversation)
  }

  /** Puts a frame on the sockets of those members who are here. Waits when they are not known at the frame's version. */
  deliverByInterest({ conversation, version }: Interest, frame: string, entry: RoutedEntry, origin?: object): void {
    const local = this.locals.get(conversation)
    if (local === undefined) return
    if (entry.membership !== undefined) setLatest(this.changesHeard, placeKey(entry), true, changesHeardMax)
    if (local.waiting !== undefined) local.waiting.push({ version, frame, entry, origin })
    else if (version <= local.version) this.putLocal(local, frame, entry, origin)
    else if (entry.membership === local.version + 1 && entry.membership === version) {
      this.follow(local, JSON.parse(frame) as Entry)
      local.version = version
      this.learnMembership(conversation, version)
      this.putLocal(local, frame, entry, origin)
      this.dropEmpty(conversation, local)
    } else {
      local.waiting = [{ version, frame, entry, origin }]
      void this.readAnew(conversation, local)
    }
  }

  private putLocal(local: Local, frame: string, entry: RoutedEntry, origin: object | undefined): void {
    const shared = share(frame, local.joined.size)
    let reached = false
    for (const [user, joinedSeq] of local.joined) {
      if (entry.seq < joinedSeq) continue
      const present = this.people.get(user)
      if (present !== undefined && this.put(present, shared, 'entry', origin)) reached = true
    }
    if (reached && entry.at !== undefined) this.ports.onEntry(entry.at)
  }

  /** Membership changes are followed one by one, so that the members of a busy conversation are not read again and again. */
  private follow(local: Local, entry: Entry): void {
    if (entry.event === 'member.removed') local.joined.delete(entry.user)
    else if (entry.event === 'member.left') local.joined.delete(entry.by)
    else if (entry.event === 'member.added')
      for (const { user } of entry.members) if (this.people.has(user)) local.joined.set(user, entry.seq)
  }

  /** Until the members are known at the version of every frame that waits, which may have come while they were read. */
  private async readAnew(conversation: string, local: Local): Promise<void> {
    try {
      for (let attempt = 1; local.waiting !== undefined; attempt++) {
        if (attempt > readsMax) throw new Error(`unable to follow the membership of ${conversation}: it keeps changing`)
        await this.readOnce(conversation, local)
        const late: Waiting[] = []
        for (const one of local.waiting) {
          if (one.version <= local.version) this.putLocal(local, one.frame, one.entry, one.origin)
          else late.push(one)
        }
        local.waiting = late.length === 0 ? undefined : late
      }
      this.dropEmpty(conversation, local)
    } catch (error) {
      local.waiting = undefined
      this.dropEmpty(conversation, local)
      this.ports.onLost(error)
    }
  }

  private async readOnce(conversation: string, local: Local): Promise<void> {
    local.noted.clear()
    const asked = [...local.joined.keys()]
    const read = await this.ports.readMembers(conversation, asked)
    // A conversation that is gone has no members, and no later version.
    local.version = read === undefined ? Number.POSITIVE_INFINITY : Math.min(read.version, ...local.noted.values())
    for (const user of asked) {
      // Added again while it was read.
      if (local.noted.has(user) && read !== undefined) continue
      const joinedSeq = read?.joined.get(user)
      if (joinedSeq === undefined) local.joined.delete(user)
      else local.joined.set(user, joinedSeq)
    }
    local.noted.clear()
    if (read !== undefined) this.learnMembership(conversation, local.version)
  }

  /**
   * The membership of a conversation changed, for these people among others: it may be one that goes by interest, which
   * they now are in, or are no more. Resolves when that is known; never rejects.
   */
  async followMembership(conversation: string, users: readonly string[], version: number): Promise<void> {
    this.learnMembership(conversation, version)
    const here = users.filter(user => this.people.has(user))
    if (here.length === 0) return
    try {
      await this.readPlaces(conversation, here)
    } catch (error) {
      this.ports.onLost(error)
      this.readLater(conversation, here, performance.now())
    }
  }

  /** Reads whether these people are in a conversation, and enters them if it goes by interest. */
  private async readPlaces(conversation: string, users: readonly string[]): Promise<void> {
    const read = await this.ports.readMembers(conversation, users)
    const here = users.filter(user => this.people.has(user))
    const gone = here.filter(user => read?.joined.has(user) !== true)
    if (gone.length > 0) this.ports.onGone(gone)
    if (read === undefined || !read.byInterest) return
    for (const user of here) {
      const joinedSeq = read.joined.get(user)
      if (joinedSeq === undefined) this.takeOut(conversation, user, read.version)
      else this.enter(user, { conversation, version: read.version, joinedSeq })
    }
  }

  private readLater(conversation: string, users: readonly string[], sinceMs: number): void {
    const known = this.unread.get(conversation) ?? { users: new Set(), sinceMs }
    this.unread.set(conversation, known)
    for (const user of users) known.users.add(user)
    if (!this.rereading) void this.reread()
  }

  /** Nobody names these people again: they are asked about until the store has answered. */
  private async reread(): Promise<void> {
    this.rereading = true
    while (this.unread.size > 0 && !this.stopped) {
      await new Promise(resolve => setTimeout(resolve, rereadPauseMs))
      for (const [conversation, { users, sinceMs }] of this.unread) {
        if (this.stopped) break
        this.unread.delete(conversation)
        const here = [...users].filter(user => this.people.has(user))
        if (here.length === 0) continue
        try {
          await this.readPlaces(conversation, here)
          this.ports.onLate(performance.now() - sinceMs)
        } catch {
          this.readLater(conversation, here, sinceMs)
          break
        }
      }
    }
    this.rereading = false
  }

  /** Ends what it does by itself. */
  stop(): void {
    this.stopped = true
  }

  /** Reads the members of all conversations that go by interest anew. Frames wait meanwhile. */
  readAllAnew(): void {
    for (const [conversation, local] of this.locals) {
      if (local.waiting !== undefined) continue
      local.waiting = []
      void this.readAnew(conversation, local)
    }
  }

  // ── presence ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** @returns the people whom nobody here watched before. @throws Refusal watch_limit_reached */
  watch(connection: Connection, users: readonly string[]): string[] {
    const watching = connection.watching ?? new Set<string>()
    const fresh = users.filter(user => !watching.has(user))
    if (watching.size + fresh.length > limits.presenceWatchMax)
      throw new Refusal('watch_limit_reached', undefined, {
        field: 'users',
        rule: `maxItems ${limits.presenceWatchMax} a connection`,
      })
    connection.watching = watching
    const first: string[] = []
    for (const user of fresh) {
      watching.add(user)
      const watchers = this.watchers.get(user)
      if (watchers === undefined) {
        this.watchers.set(user, new Set([connection]))
        first.push(user)
      } else watchers.add(connection)
    }
    return first
  }

  /** @returns the people whom nobody here watches any longer */
  unwatch(connection: Connection, users: Iterable<string>): string[] {
    const last: string[] = []
    for (const user of users) {
      if (connection.watching?.delete(user) !== true) continue
      const watchers = this.watchers.get(user)
      watchers?.delete(connection)
      if (watchers?.size !== 0) continue
      this.watchers.delete(user)
      last.push(user)
    }
    return last
  }

  /** The connections of a person that watch somebody, as of now. */
  watchingOf(user: string): Connection[] {
    return [...this.of(user)].filter(({ watching }) => watching !== undefined && watching.size > 0)
  }

  /** The connections that watch a person, as of now. */
  watchersOf(user: string): Connection[] {
    return [...(this.watchers.get(user) ?? [])]
  }

  /** Puts a frame on the sockets that watch a person. */
  tellWatchers(user: string, frame: string): void {
    for (const connection of this.watchers.get(user) ?? []) connection.push(frame, 'ephemeral')
  }
}
