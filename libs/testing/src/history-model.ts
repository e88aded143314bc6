/**
 * A fleet in miniature that keeps every promise: it plays random steps and leaves a right history with the store that
 * belongs to it. What proves the checker starts from here and breaks something.
 */
import type { Entry } from '@flotilla/protocol'
import fc from 'fast-check'
import { History } from './history.ts'
import { type MembershipSpan, membershipsOf, type StoreDump, toStanding } from './store-dump.ts'

const users = ['ann', 'bob', 'cid', 'dee'] as const
/** Each person has two devices. */
const devices = users.flatMap(user => [`${user}-phone`, `${user}-desk`])
const conversations = ['crew', 'deck'] as const

/** One step; the numbers choose among what is possible at the time. */
export interface Step {
  readonly act:
    | 'send'
    | 'edit'
    | 'sendUnanswered'
    | 'retry'
    | 'refuse'
    | 'deliver'
    | 'cut'
    | 'connect'
    | 'resync'
    | 'add'
    | 'remove'
    | 'read'
  readonly who: number
  readonly where: number
  readonly how: number
}

export interface World {
  readonly history: History
  readonly dump: StoreDump
}

interface ModelDevice {
  readonly name: string
  readonly user: string
  connected: boolean
  /** By conversation: everything up to here was seen or is not owed. */
  readonly cursors: Map<string, number>
}

interface ModelConversation {
  readonly name: string
  readonly log: Entry[]
  readonly clientIds: string[]
  /** Since which seq. */
  readonly members: Map<string, number>
  readonly cursors: Map<string, { delivered: number; read: number }>
}

class Model {
  readonly history = new History()
  readonly conversations: ModelConversation[]
  readonly devices: ModelDevice[]
  readonly sends: { user: string; conversation: string; clientId: string; seq: number }[] = []
  clientIds = 0

  constructor() {
    this.conversations = conversations.map(name => ({
      name,
      log: [],
      clientIds: [],
      members: new Map(),
      cursors: new Map(),
    }))
    this.devices = devices.map(name => ({ name, user: name.slice(0, 3), connected: true, cursors: new Map() }))
    for (const device of this.devices) {
      this.history.opened(device.name, device.user)
      this.history.connected(device.name)
    }
    for (const conversation of this.conversations) {
      const members = users.map(user => ({ user, role: 'member' }))
      this.append(conversation, 'ann', { event: 'conversation.created', kind: 'group', members })
      for (const user of users) this.join(conversation, user)
    }
  }

  append(conversation: ModelConversation, by: string, fields: object): number {
    const seq = conversation.log.length + 1
    const clientId = `client-${++this.clientIds}`
    const place = { conversation: conversation.name, seq, epoch: 1, at: seq, by }
    const isOfCommand = 'body' in fields
    conversation.log.push({ ...place, ...fields, ...(isOfCommand ? { clientId } : {}) } as Entry)
    conversation.clientIds.push(clientId)
    return seq
  }

  join(conversation: ModelConversation, user: string, since = conversation.log.length): void {
    conversation.members.set(user, conversation.log.length)
    conversation.cursors.set(user, { delivered: 0, read: 0 })
    for (const device of this.devices) if (device.user === user) device.cursors.set(conversation.name, since - 1)
  }

  /** @param target the message to edit; without one it is a new one */
  send(conversation: ModelConversation, user: string, answered: boolean, target?: number): void {
    if (!conversation.members.has(user)) return
    const body = { text: `text ${this.clientIds}` }
    const { text } = body
    const fields = target === undefined ? { event: 'message.new' } : { event: 'message.edited', target }
    const seq = this.append(conversation, user, { ...fields, body })
    const clientId = conversation.clientIds.at(-1) ?? ''
    this.sends.push({ user, conversation: conversation.name, clientId, seq })
    this.history.sent({ user, conversation: conversation.name, clientId, text }, seq)
    if (answered) this.history.acknowledged(user, conversation.name, clientId, seq)
  }

  edit(conversation: ModelConversation, user: string, how: number): void {
    const own = conversation.log.filter(one => one.event === 'message.new' && one.by === user)
    if (own.length > 0) this.send(conversation, user, how % 2 === 0, pick(own, how).seq)
  }

  /** Shows a device the next entries, as far as its person may see them. */
  deliver(device: ModelDevice, conversation: ModelConversation, count: number): void {
    if (!device.connected || !conversation.members.has(device.user)) return
    const cursor = device.cursors.get(conversation.name) ?? 0
    const standing = asTheyStand(conversation.log)
    for (const entry of conversation.log.slice(cursor, cursor + count)) {
      // Some come live, some in a page.
      this.history.saw(device.name, entry.seq % 2 === 0 ? entry : standing[entry.seq - 1]!)
      device.cursors.set(conversation.name, entry.seq)
    }
  }

  cut(device: ModelDevice): void {
    if (device.connected) this.history.disconnected(device.name)
    device.connected = false
  }

  connect(device: ModelDevice): void {
    if (device.connected) return
    device.connected = true
    this.history.connected(device.name)
    for (const conversation of this.conversations)
      if (!conversation.members.has(device.user)) this.history.left(device.name, conversation.name)
  }

  resync(device: ModelDevice, conversation: ModelConversation): void {
    const since = conversation.members.get(device.user)
    if (!device.connected || since === undefined) return
    const head = conversation.log.length
    this.history.resync(device.name, conversation.name, head)
    device.cursors.set(conversation.name, Math.max(since - 1, head - 3))
    this.deliver(device, conversation, 1)
  }

  /** Every other one sees what was said before. Their devices have heard that they were out, and begin anew. */
  add(conversation: ModelConversation, user: string, how: number): void {
    if (conversation.members.has(user)) return
    const since = how % 2 === 0 ? {} : { since: (how % conversation.log.length) + 1 }
    const seq = this.append(conversation, 'ann', {
      event: 'member.added',
      members: [{ user, role: 'member' }],
      ...since,
    })
    if ('since' in since)
      for (const device of this.devices.filter(one => one.user === user))
        this.history.left(device.name, conversation.name)
    this.join(conversation, user, since.since)
    this.history.joined({ conversation: conversation.name, user, seq })
  }

  /** Those who are connected either see all of it up to their removal, or are told that they are out. */
  remove(conversation: ModelConversation, user: string, told: boolean): void {
    if (user === 'ann' || !conversation.members.has(user)) return
    const seq = this.append(conversation, 'ann', { event: 'member.removed', user })
    this.history.removed({ conversation: conversation.name, user, seq })
    for (const device of this.devices.filter(one => one.user === user && one.connected))
      if (told) this.history.left(device.name, conversation.name)
      else this.deliver(device, conversation, Infinity)
    conversation.members.delete(user)
    conversation.cursors.delete(user)
  }

  read(conversation: ModelConversation, user: string, share: number): void {
    const cursors = conversation.cursors.get(user)
    if (cursors === undefined) return
    cursors.delivered = conversation.log.length
    cursors.read = Math.max(cursors.read, Math.ceil(cursors.delivered * share))
    for (const device of this.devices) {
      if (!device.connected || !conversation.members.has(device.user)) continue
      const receipt = { conversation: conversation.name, user }
      this.history.receipt(device.name, { ...receipt, type: 'delivered', seq: cursors.delivered })
      // What lies before somebody came, or came back, they have not read.
      if (cursors.read >= (conversation.members.get(user) ?? 0))
        this.history.receipt(device.name, { ...receipt, type: 'read', seq: cursors.read })
    }
  }

  play({ act, who, where, how }: Step): void {
    const conversation = pick(this.conversations, where)
    const device = pick(this.devices, who)
    if (act === 'send') this.send(conversation, device.user, true)
    else if (act === 'edit') this.edit(conversation, device.user, how)
    else if (act === 'sendUnanswered') this.send(conversation, device.user, false)
    else if (act === 'deliver') this.deliver(device, conversation, (how % 5) + 1)
    else if (act === 'cut') this.cut(device)
    else if (act === 'connect') this.connect(device)
    else if (act === 'resync') this.resync(device, conversation)
    else if (act === 'add') this.add(conversation, device.user, how)
    else if (act === 'remove') this.remove(conversation, device.user, how % 2 === 0)
    else if (act === 'read') this.read(conversation, device.user, (how % 10) / 10)
    else if (act === 'retry' && this.sends.length > 0) {
      const send = pick(this.sends, how)
      this.history.acknowledged(send.user, send.conversation, send.clientId, send.seq)
    } else if (act === 'refuse') {
      const clientId = `client-${++this.clientIds}`
      this.history.sent({ user: device.user, conversation: conversation.name, clientId, text: 'never stored' }, how)
      this.history.failed(device.user, conversation.name, clientId, 'rate_limited')
    }
  }

  /** Everything comes to rest: whoever is connected catches up. */
  settle(): World {
    for (const device of this.devices)
      for (const conversation of this.conversations) this.deliver(device, conversation, Infinity)
    return { history: this.history, dump: this.dump() }
  }

  dump(): StoreDump {
    const present = this.conversations.flatMap(({ name, members }) =>
      [...members].map(([user, joined]) => ({ conversation: name, user, joined })),
    )
    const memberships: MembershipSpan[] = membershipsOf(
      this.conversations.flatMap(({ log }) => log),
      present,
    )
    return {
      entries: this.conversations.flatMap(({ log, clientIds }) =>
        asTheyStand(log).map((entry, index) => ({
          ...toStanding(entry),
          sender: entry.by,
          clientId: clientIds[index] ?? '',
        })),
      ),
      heads: this.conversations.map(({ name, log }) => ({ conversation: name, head: log.length })),
      cursors: this.conversations.flatMap(({ name, cursors }) =>
        [...cursors].map(([user, cursor]) => ({ conversation: name, user, ...cursor })),
      ),
      memberships,
    }
  }
}

/** As a page or a replay has them. */
function asTheyStand(log: readonly Entry[]): Entry[] {
  const edits = new Map(log.flatMap(one => (one.event === 'message.edited' ? [[one.target, one] as const] : [])))
  return log.map(entry => {
    if (entry.event === 'message.new') {
      const { body, seq, at } = edits.get(entry.seq) ?? {}
      return seq === undefined ? entry : ({ ...entry, body, changedSeq: seq, editedAt: at } as Entry)
    }
    if (entry.event !== 'message.edited' || edits.get(entry.target) === entry) return entry
    const { body: _, ...outdated } = entry
    return outdated
  })
}

function pick<T>(list: readonly T[], number: number): T {
  return list[number % list.length] as T
}

/** Enough of everything for any fault to be planted: messages, receipts, reconnects, somebody who came back, and before the last messages a removal and a device that goes away. */
const prelude: readonly Step[] = [
  ...[0, 2, 4, 1, 3].map(who => ({ act: 'send' as const, who, where: 0, how: 0 })),
  { act: 'read', who: 0, where: 0, how: 5 },
  { act: 'deliver', who: 0, where: 0, how: 4 },
  { act: 'read', who: 4, where: 1, how: 5 },
  { act: 'remove', who: 4, where: 1, how: 0 },
  { act: 'add', who: 4, where: 1, how: 0 },
  ...[1, 2, 5].flatMap(who => (['cut', 'connect'] as const).map(act => ({ act, who, where: 0, how: 0 }))),
]
const finale: readonly Step[] = [
  { act: 'remove', who: 6, where: 1, how: 1 },
  { act: 'deliver', who: 5, where: 0, how: 1 },
  { act: 'cut', who: 5, where: 0, how: 0 },
  ...[0, 2, 4, 2].flatMap(who => [0, 1].map(where => ({ act: 'send' as const, who, where, how: 0 }))),
  { act: 'read', who: 2, where: 0, how: 9 },
]

const step: fc.Arbitrary<Step> = fc.record({
  act: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom<Step['act']>('send', 'deliver') },
    { weight: 2, arbitrary: fc.constant<Step['act']>('edit') },
    {
      weight: 5,
      arbitrary: fc.constantFrom<Step['act']>(
        'sendUnanswered',
        'retry',
        'refuse',
        'cut',
        'connect',
        'resync',
        'add',
        'remove',
        'read',
      ),
    },
  ),
  who: fc.nat(devices.length - 1),
  where: fc.nat(conversations.length - 1),
  how: fc.nat(1_000),
})

/** Steps that lead to right histories of all kinds. */
export const stepLists: fc.Arbitrary<Step[]> = fc.array(step, { maxLength: 120 })

/** Plays the steps, between a beginning and an end that make every fault plantable. */
export function playWorld(steps: readonly Step[]): World {
  const model = new Model()
  for (const one of [...prelude, ...steps, ...finale]) model.play(one)
  return model.settle()
}
