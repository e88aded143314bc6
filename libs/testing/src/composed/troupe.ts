/**
 * The people of a composed run: each with two devices on the real SDK, in direct conversations and in groups below and
 * above the limit of routing by interest. They talk, in threads too, type and read, change and delete what they said,
 * forward, schedule, ask and vote; members come and go, groups are renamed, timers set, people become contacts and part,
 * block each other, mute conversations, and sessions are revoked. All of it is on record, and so is what their sockets
 * delivered.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { type ContactRequest, type EventIn, textOf } from '@flotilla/protocol'
import { type Client, createClient, type Question, type Send, type User } from '@flotilla/sdk'
import { FoldedViews } from '../folded-views.ts'
import type { History } from '../history.ts'
import { aboutOf, steadyMs } from '../live-history.ts'
import { makeSessions, makeUsers } from '../population.ts'
import { atRate, recordClient } from '../talkers.ts'
import { until } from '../until.ts'
import { type Call, createCall, RefusedError } from './calls.ts'
import type { ComposedStage } from './composed-stage.ts'
import type { Dice } from './dice.ts'
import { Latest } from './latest.ts'
import type { SocketRecorder } from './recorded-sockets.ts'
import { scheduleSome } from './scheduling.ts'

export interface TroupeOptions {
  readonly stage: ComposedStage
  readonly history: History
  readonly sockets: SocketRecorder
  readonly dice: Dice
}

export interface Troupe {
  /** Begins to talk, and to come and go. */
  start(): void
  /** Ends both. Resolves when nothing is under way any more. */
  pause(): Promise<void>
  /** Sends that wait for their answer. */
  unanswered(): number
  /** Devices that do not have everything, each with a sentence. */
  behind(): Promise<string[]>
  readonly people: readonly Person[]
  /** Owns every group and is never put out. */
  readonly steward: { readonly user: string; readonly session: string }
  readonly groups: readonly string[]
  readonly counts: Readonly<Record<string, number>>
  stop(): Promise<void>
}

interface Person {
  readonly user: string
  readonly devices: Device[]
}

interface Device {
  readonly name: string
  readonly session: string
  readonly client: Client
  /** The highest seq of each conversation that its application was given, and what it shows. */
  readonly seen: Map<string, number>
  readonly views: FoldedViews
}

interface Place {
  readonly conversation: string
  readonly seq: number
}

interface Direct {
  readonly conversation: string
  readonly people: readonly [Person, Person]
  /** Undefined after a call whose outcome is not known. */
  blocked: boolean | undefined
  /** Whether the first has asked the second, by which request, or the two are contacts; undefined when that is not known. */
  tie: 'none' | 'contacts' | { readonly request: string } | undefined
}

const people = 30
const devicesEach = 2
/** Some below the limits of routing by interest and of large groups, some that cross them, some beyond them from the start. */
const groupSizes = [5, 7, 9, 10, 14, 18, 22]
const rates = { sends: 20, typings: 8, changes: 6 }
const pollOptions = ['yes', 'no', 'later']
/** The shortest that anybody may set: nothing expires within a run for it. */
const timerMs = 3_600_000
/** What some conversations have from the beginning, so that messages of theirs do. */
const fleetingMs = 4_000
/** Typing is told at every keystroke: the SDK's pauses would hide what is told too late. */
const sdkSettings = { typingRepeatMs: 100, typingRestMs: 500, pingTimeoutMs: 4_000 }
const groupSizeMin = 3
const silent = { debug() {}, warn() {} }

const asOf = ({ user, devices }: Person) => ({ user, session: devices[0]!.session })
/** The one named in an acceptance is another for each of the two, and says nothing more than the request. */
const nobody = { id: '', username: '', displayName: '', avatar: null }

/** Nothing is done about what nobody has said yet. */
const onto = <T>(target: T | undefined, act: (target: T) => Send): Send | undefined =>
  target === undefined ? undefined : act(target)

/** Makes the people and their conversations, and connects their devices. Resolves when all are live. */
export async function gatherTroupe(options: TroupeOptions): Promise<Troupe> {
  const troupe = new LivingTroupe(options)
  await troupe.gather()
  return troupe
}

class LivingTroupe implements Troupe {
  readonly counts: Record<string, number> = {}
  readonly groups: string[] = []
  /** Conversations whose messages disappear soon. */
  readonly #fleeting = new Set<string>()
  people: Person[] = []
  steward = { user: '', session: '' }
  readonly #stage: ComposedStage
  readonly #history: History
  readonly #sockets: SocketRecorder
  readonly #dice: Dice
  readonly #call: Call
  readonly #directs: Direct[] = []
  /** By group: who is in, as far as the answers tell. */
  readonly #members = new Map<string, Set<Person>>()
  readonly #said = new Latest()
  /** Polls. */
  readonly #asked = new Latest()
  /** Messages outside of threads, each for a while, so that a thread becomes longer than one reply. */
  readonly #roots = new Latest()
  /** By person: what they said last, wherever that was. */
  readonly #saidAnywhere = new Map<string, Place>()
  /** A pair of group and person, or of people, that something is under way with. */
  readonly #busy = new Set<string>()
  readonly #underWay = new Set<Promise<void>>()
  #endings: (() => void)[] = []
  #deviceCount = 0

  constructor({ stage, history, sockets, dice }: TroupeOptions) {
    this.#stage = stage
    this.#history = history
    this.#sockets = sockets
    this.#dice = dice
    this.#call = createCall(stage, history)
  }

  // ---- gathering ----------------------------------------------------------------------------------------------------

  async gather(): Promise<void> {
    const { pool } = this.#stage
    const users = await makeUsers(pool, people + 1)
    const sessions = await makeSessions(pool, users)
    this.steward = { user: users[people]!, session: sessions[people]! }
    this.people = users.slice(0, people).map(user => ({ user, devices: [] }))
    for (const size of groupSizes) {
      const members = this.#somebody(size)
      const conversation = await this.#open(this.steward, {
        kind: 'group',
        name: `of ${size}`,
        members: members.map(({ user }) => user),
      })
      this.groups.push(conversation)
      this.#members.set(conversation, new Set(members))
    }
    for (let nth = 0; nth < people / 2; nth++) {
      const [one, other] = [this.people[nth]!, this.people[nth + people / 2]!]
      const as = { user: one.user, session: sessions[nth]! }
      const conversation = await this.#open(as, { kind: 'direct', user: other.user })
      this.#directs.push({ conversation, people: [one, other], blocked: false, tie: 'none' })
    }
    for (const { conversation } of this.#directs.slice(0, 2)) this.#fleeting.add(conversation)
    for (const conversation of [this.groups[1]!, this.groups.at(-2)!]) this.#fleeting.add(conversation)
    await pool.query('UPDATE conversations SET timer_ms = $2, version = version + 1 WHERE id = ANY ($1)', [
      [...this.#fleeting],
      fleetingMs,
    ])
    // They have been past the limit for long: nobody is addressed by name any more.
    await pool.query(`UPDATE conversations SET large_since = large_since - interval '1 hour'`)
    for (const person of this.people) for (let nth = 0; nth < devicesEach; nth++) await this.#addDevice(person)
    await until(() => this.#devices().every(({ client }) => client.state.name === 'live'), {
      what: 'everybody is live',
      withinMs: 60_000,
      everyMs: 50,
    })
  }

  #somebody(count: number): Person[] {
    const left = [...this.people]
    return Array.from({ length: count }, () => left.splice(this.#dice.between(0, left.length - 1), 1)[0]!)
  }

  async #open(as: { user: string; session: string }, opening: object): Promise<string> {
    const { id } = (await this.#call('POST', '/v1/conversations', as, opening)) as { id: string }
    return id
  }

  async #addDevice(person: Person): Promise<Device> {
    const [session] = await makeSessions(this.#stage.pool, [person.user])
    const name = `device-${++this.#deviceCount}`
    const seen = new Map<string, number>()
    const owner = { device: name, user: person.user, session: session! }
    this.#history.opened(name, person.user)
    const client = createClient({
      api: this.#stage.api.url,
      getToken: () => Promise.resolve(this.#stage.token(person.user, session!)),
      // Where to go is answered here: the API may be down, and the gateways must stand the storm all the same.
      fetch: async () => Response.json(this.#stage.fleet.connect(person.user, session!)),
      WebSocket: this.#sockets.socketsOf(owner),
      // Everything is on record and judged, so everything is heard; and what fails for a while is expected to.
      history: 'all',
      logger: silent,
      settings: sdkSettings,
    })
    recordClient(client, name, this.#history, seen)
    client.on('left', ({ conversation }) => {
      this.#history.live({ kind: 'told', device: name, conversation, atMs: steadyMs() })
    })
    client.on('entry', ({ conversation, seq }) => {
      if (this.#dice.roll() < 0.3) client.markRead(conversation, seq)
    })
    const views = new FoldedViews(person.user)
    client.on('entry', entry => views.hear(entry))
    client.on('reaction', event => views.hearReaction(event))
    for (const over of ['resync', 'left'] as const) client.on(over, ({ conversation }) => views.forget(conversation))
    client.on('refresh', () => views.refresh())
    const device = { name, session: session!, client, seen, views }
    person.devices.push(device)
    await client.start()
    return device
  }

  #devices(): Device[] {
    return this.people.flatMap(({ devices }) => devices)
  }

  // ---- what they do -------------------------------------------------------------------------------------------------

  start(): void {
    this.#endings = [
      atRate(rates.sends, () => this.#say()),
      atRate(rates.typings, () => this.#type()),
      atRate(rates.changes, () => this.#change()),
    ]
  }

  async pause(): Promise<void> {
    for (const end of this.#endings) end()
    this.#endings = []
    await Promise.all(this.#underWay)
  }

  #count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1
  }

  /** A conversation and somebody who talks there: a member, or now and then somebody who may be out by now. */
  #place(): { conversation: string; person: Person } {
    if (this.#dice.roll() < 0.3) {
      const { conversation, people: pair } = this.#dice.pick(this.#directs)
      return { conversation, person: this.#dice.pick(pair) }
    }
    const conversation = this.#dice.pick(this.groups)
    const members = [...this.#members.get(conversation)!]
    return { conversation, person: this.#dice.pick(this.#dice.roll() < 0.1 ? this.people : members) }
  }

  #say(): void {
    const { conversation, person } = this.#place()
    const { client } = this.#dice.pick(person.devices)
    const text = randomUUID()
    const draft = { conversation, body: { text } }
    const { user } = person
    // Now and then it is something about a message: of one's own, or the last one of anybody's.
    const [own, last] = [this.#said.of(conversation, user), this.#said.of(conversation)]
    const [ownRoot, root] = [this.#roots.of(conversation, user), this.#roots.of(conversation)]
    const [ownPoll, poll] = [this.#asked.of(conversation, user), this.#asked.of(conversation)]
    const anywhere = this.#saidAnywhere.get(user)
    const emoji = this.#dice.pick(['👍', '❤️', '🎉'])
    const inThread = root !== undefined && this.#dice.roll() < 0.25
    const also = this.#dice.roll() < 0.25 ? { alsoInConversation: true as const } : {}
    const act = this.#dice.draw<(client: Client) => Send | undefined>([
      [56, client => client.send(inThread ? { ...draft, thread: root, ...also } : draft)],
      [7, client => onto(last, seq => client.react(conversation, seq, emoji, this.#dice.roll() < 0.7))],
      [9, client => onto(own, target => client.edit({ ...draft, target }))],
      [3, client => onto(last, seq => client.pin(conversation, seq))],
      [3, client => onto(last, seq => client.unpin(conversation, seq))],
      [5, client => onto(this.#dice.pick([own, own, ownRoot, ownPoll]), seq => client.delete(conversation, seq))],
      [2, client => onto(last, seq => client.forward({ conversation, source: { conversation, seq } }))],
      [2, client => onto(anywhere, source => client.forward({ conversation, source }))],
      [4, client => client.ask({ conversation, ...this.#question(text), ...(inThread ? { thread: root } : {}) })],
      [8, client => onto(poll, seq => client.vote(conversation, seq, this.#dice.pick([[], [0], [1], [2]])))],
      [2, client => onto(ownPoll, seq => client.closePoll(conversation, seq))],
    ])
    let send: Send | undefined
    try {
      send = act(client)
    } catch {
      // Stopped with its session.
    }
    if (send === undefined) return
    const { clientId, op } = send
    const body = 'body' in send ? send.body : undefined
    this.#history.sent({ user, conversation, clientId, ...(body === undefined ? {} : { text: textOf(body) }) })
    send.acknowledged.then(
      ({ seq }) => {
        this.#count(op)
        const isPoll = body !== undefined && 'type' in body && body.type === 'poll'
        const isReply = inThread && op === 'message.send'
        if (isReply) this.#count(isPoll ? 'polls in threads' : 'replies')
        if (isPoll) this.#asked.set(conversation, user, seq)
        if (op === 'message.send' && !isPoll) this.#saidAnywhere.set(user, { conversation, seq })
        if (op === 'message.send' || op === 'message.forward') {
          this.#said.set(conversation, user, seq)
          if (!isReply && (root === undefined || this.#dice.roll() < 0.2)) this.#roots.set(conversation, user, seq)
        }
        this.#history.acknowledged(user, conversation, clientId, seq)
      },
      (error: { code: string }) => {
        this.#count(`${op} ${error.code}`)
        this.#history.failed(user, conversation, clientId, error.code)
      },
    )
  }

  #question(question: string): Omit<Question, 'conversation'> {
    const anonymous = this.#dice.roll() < 0.3
    return { question, options: pollOptions, ...(anonymous ? { anonymous } : {}) }
  }

  #type(): void {
    const { conversation, person } = this.#place()
    this.#dice.pick(person.devices).client.typing(conversation)
  }

  /** Something changes, unless something is under way with the same. */
  #change(): void {
    const draw = this.#dice.draw<() => { hold: string; run: () => Promise<void> } | undefined>([
      [34, () => this.#planRemoval()],
      [34, () => this.#planAddition()],
      [10, () => this.#planRename()],
      [8, () => this.#planLeaving()],
      [8, () => this.#planBlock()],
      [6, () => this.#planRevocation()],
      [40, () => this.#planContact()],
      [10, () => this.#planMute()],
      [12, () => this.#planTimer()],
      [8, () => this.#planNewcomerHistory()],
      [30, () => this.#planScheduled()],
    ])
    const planned = draw()
    if (planned === undefined || this.#busy.has(planned.hold)) return
    this.#busy.add(planned.hold)
    const running = planned
      .run()
      .catch((error: unknown) => this.#count(error instanceof RefusedError ? `change ${error.code}` : 'change unknown'))
      .finally(() => {
        this.#busy.delete(planned.hold)
        this.#underWay.delete(running)
      })
    this.#underWay.add(running)
  }

  #planRemoval() {
    const conversation = this.#dice.pick(this.groups)
    const members = this.#members.get(conversation)!
    if (members.size <= groupSizeMin) return undefined
    return this.#putOut(conversation, this.#dice.pick([...members]), this.steward)
  }

  #planLeaving() {
    const conversation = this.#dice.pick(this.groups)
    const members = this.#members.get(conversation)!
    if (members.size <= groupSizeMin) return undefined
    const person = this.#dice.pick([...members])
    return this.#putOut(conversation, person, { user: person.user, session: person.devices[0]!.session })
  }

  #putOut(conversation: string, person: Person, as: { user: string; session: string }) {
    const { user } = person
    const members = this.#members.get(conversation)!
    return {
      hold: `${conversation} ${user}`,
      run: async () => {
        try {
          const path = `/v1/conversations/${conversation}/members/${user}`
          const { seq } = (await this.#call('DELETE', path, as)) as { seq: number }
          this.#history.live({ kind: 'put-out', conversation, user, seq, atMs: steadyMs() })
          this.#history.removed({ conversation, user, seq })
          this.#count(as.user === user ? 'left' : 'removed')
          members.delete(person)
        } catch (error) {
          if (error instanceof RefusedError && ['user_unknown', 'not_a_member'].includes(error.code))
            members.delete(person)
          throw error
        }
      },
    }
  }

  #planAddition() {
    const conversation = this.#dice.pick(this.groups)
    const members = this.#members.get(conversation)!
    const others = this.people.filter(person => !members.has(person))
    if (others.length === 0) return undefined
    const person = this.#dice.pick(others)
    const { user } = person
    return {
      hold: `${conversation} ${user}`,
      run: async () => {
        this.#history.live({ kind: 'adding', conversation, user, atMs: steadyMs() })
        try {
          const path = `/v1/conversations/${conversation}/members`
          const { seq, asked } = (await this.#call('POST', path, this.steward, { users: [user] })) as {
            seq: number
            asked: string[]
          }
          if (asked.length > 0) await this.#acceptFor(person, conversation)
          else this.#history.joined({ conversation, user, seq })
          this.#count(asked.length > 0 ? 'accepted' : 'added')
          members.add(person)
        } catch (error) {
          if (error instanceof RefusedError && error.code === 'already_a_member') members.add(person)
          throw error
        }
      },
    }
  }

  /** Whoever has left a group before is asked first. The answer does not say with which entry they came in. */
  async #acceptFor(person: Person, conversation: string): Promise<void> {
    const path = '/v1/conversation-requests'
    const { requests } = (await this.#call('GET', `${path}?direction=received&limit=100`, asOf(person))) as {
      requests: { id: string; conversation: string }[]
    }
    const request = requests.find(one => one.conversation === conversation)
    if (request !== undefined) await this.#call('POST', `${path}/${request.id}/accept`, asOf(person))
  }

  #planRename() {
    const conversation = this.#dice.pick(this.groups)
    return {
      hold: `name of ${conversation}`,
      run: async () => {
        await this.#call('PATCH', `/v1/conversations/${conversation}`, this.steward, { name: randomUUID() })
        this.#count('renamed')
      },
    }
  }

  /** What those who join from now on see of what was said before. */
  #planNewcomerHistory() {
    const conversation = this.#dice.pick(this.groups)
    return {
      hold: `settings of ${conversation}`,
      run: async () => {
        const newcomerHistory = this.#dice.pick([null, 0, 1, 20])
        await this.#call('PATCH', `/v1/conversations/${conversation}/settings`, this.steward, { newcomerHistory })
        this.#count('newcomer histories set')
      },
    }
  }

  #planBlock() {
    const direct = this.#dice.pick(this.#directs)
    const { conversation, people: pair } = direct
    const [one, other] = pair
    return {
      hold: conversation,
      run: async () => {
        const { blocked } = direct
        const ends = blocked !== false
        if (ends) this.#history.live({ kind: 'unblocking', conversation, atMs: steadyMs() })
        const fromMs = steadyMs()
        // Until the answer nobody knows, nor what it has done to what else is between the two.
        direct.blocked = undefined
        direct.tie = undefined
        await this.#call(ends ? 'DELETE' : 'PUT', `/v1/blocks/${other.user}`, asOf(one))
        direct.blocked = !ends
        // What changes nothing is not told.
        if (blocked === ends)
          this.#signalled([one], fromMs, { event: 'block.changed', user: other.user, blocked: !ends })
        if (!ends) this.#history.live({ kind: 'blocked', conversation, atMs: steadyMs() })
        this.#count(ends ? 'unblocked' : 'blocked')
      },
    }
  }

  /** The first of two asks the second, who accepts or not; and one of them ends it. */
  #planContact() {
    const direct = this.#dice.pick(this.#directs)
    const { conversation, people: pair } = direct
    const [one, other] = pair
    return {
      hold: conversation,
      run: async () => {
        const tie = direct.tie ?? (await this.#readTie(one, other))
        const fromMs = steadyMs()
        direct.tie = undefined
        if (tie === 'none') {
          const request = (await this.#call('POST', '/v1/contact-requests', asOf(one), {
            user: other.user,
          })) as ContactRequest
          direct.tie = { request: request.id }
          this.#signalled(pair, fromMs, { event: 'contact.requested', request })
        } else if (tie === 'contacts') {
          await this.#call('DELETE', `/v1/contacts/${other.user}`, asOf(one))
          direct.tie = 'none'
          this.#signalled([one], fromMs, { event: 'contact.removed', user: other.user })
          this.#signalled([other], fromMs, { event: 'contact.removed', user: one.user })
        } else {
          const { request } = tie
          const how = this.#dice.roll() < 0.7 ? 'accept' : 'decline'
          await this.#call('POST', `/v1/contact-requests/${request}/${how}`, asOf(other))
          direct.tie = how === 'accept' ? 'contacts' : 'none'
          if (how === 'decline') this.#signalled(pair, fromMs, { event: 'contact.declined', request })
          else
            for (const person of pair)
              this.#signalled([person], fromMs, { event: 'contact.accepted', request, user: nobody })
        }
        this.#count('contact changes')
      },
    }
  }

  async #readTie(one: Person, other: Person): Promise<NonNullable<Direct['tie']>> {
    const [{ contacts }, { requests }] = (await Promise.all([
      this.#call('GET', '/v1/contacts', asOf(one)),
      this.#call('GET', '/v1/contact-requests?direction=sent', asOf(one)),
    ])) as [{ contacts: { user: User }[] }, { requests: ContactRequest[] }]
    const request = requests.find(({ to }) => to.id === other.user)
    if (request !== undefined) return { request: request.id }
    return contacts.some(({ user }) => user.id === other.user) ? 'contacts' : 'none'
  }

  #planMute() {
    const { conversation, person } = this.#place()
    return {
      hold: `mute of ${conversation} by ${person.user}`,
      run: async () => {
        const [fromMs, until] = [steadyMs(), Date.now() + this.#dice.between(1, 1_000_000_000) + 86_400_000]
        await this.#call('PUT', `/v1/conversations/${conversation}/mute`, asOf(person), { untilMs: until })
        this.#signalled([person], fromMs, { event: 'conversation.muted', conversation, until })
        this.#count('muted')
      },
    }
  }

  /** In a group it is for whoever owns it. What was posted before keeps the timer that it has. */
  #planTimer() {
    const { conversation, person } = this.#place()
    if (this.#fleeting.has(conversation)) return undefined
    const as = this.groups.includes(conversation) ? this.steward : asOf(person)
    return {
      hold: `timer of ${conversation}`,
      run: async () => {
        const set = this.#dice.roll() < 0.7 ? timerMs : null
        await this.#call('PUT', `/v1/conversations/${conversation}/timer`, as, { timerMs: set })
        this.#count('timers set')
      },
    }
  }

  /** Some messages that are soon to be sent, two of them at one time; now and then one is cancelled. */
  #planScheduled() {
    const { conversation, person } = this.#place()
    const { user } = person
    return {
      hold: `scheduled by ${user}`,
      run: async () => {
        const place = { conversation, user, as: asOf(person) }
        const { taken, cancelled } = await scheduleSome(this.#call, this.#history, this.#dice, place)
        for (let nth = 0; nth < taken; nth++) this.#count('scheduled')
        if (cancelled) this.#count('cancelled')
      },
    }
  }

  /** It was answered that something was done of which these hear by a signal. */
  #signalled(people: readonly Person[], fromMs: number, event: EventIn<'signal'>): void {
    for (const { user } of people)
      this.#history.live({
        kind: 'signalled',
        user,
        event: event.event,
        about: aboutOf(event),
        fromMs,
        atMs: steadyMs(),
      })
  }

  /** One device ends the session of the other; its person signs in anew on another one. */
  #planRevocation() {
    const person = this.#dice.pick(this.people)
    const [gone, other] = person.devices as [Device, Device]
    return {
      hold: `devices of ${person.user}`,
      run: async () => {
        const as = { user: person.user, session: other.session }
        await this.#call('DELETE', `/v1/sessions/${gone.session}`, as)
        this.#history.live({ kind: 'revoked', session: gone.session, atMs: steadyMs() })
        this.#count('revoked')
        await pause(this.#dice.between(2_000, 5_000))
        await gone.client.stop()
        person.devices.splice(person.devices.indexOf(gone), 1)
        await until(() => this.#addDevice(person), { what: 'a new sign-in', withinMs: 30_000, everyMs: 300 })
      },
    }
  }

  // ---- how they stand -----------------------------------------------------------------------------------------------

  unanswered(): number {
    return this.#devices().reduce((sum, { client }) => sum + client.pending().length, 0)
  }

  async behind(): Promise<string[]> {
    const { rows } = await this.#stage.pool.query<{ user: string; conversation: string; head: number }>(
      `SELECT m.user_id AS user, c.id AS conversation, c.head_seq AS head
         FROM members m JOIN conversations c ON c.id = m.conversation_id`,
    )
    const heads = Map.groupBy(rows, row => row.user)
    return this.people.flatMap(({ user, devices }) =>
      devices.flatMap(({ name, client, seen }) => {
        if (client.state.name !== 'live') return [`${name} is ${JSON.stringify(client.state)}`]
        return (heads.get(user) ?? [])
          .filter(({ conversation, head }) => (seen.get(conversation) ?? 0) < head)
          .map(({ conversation, head }) => `${name} has ${seen.get(conversation) ?? 0} of ${head} in ${conversation}`)
      }),
    )
  }

  async stop(): Promise<void> {
    await Promise.all(this.#devices().map(({ client }) => client.stop()))
  }
}
