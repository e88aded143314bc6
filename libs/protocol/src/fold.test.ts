/**
 * A log in miniature, rendered as a node renders it: live as it happens, in a page or a replay as it stands. Whatever mixture
 * of these a client hears, in whatever order: when it has heard of every seq, it has the state of the log.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Entry, EntryOf } from './entries.ts'
import type { PollBody } from './fields.ts'
import {
  conversationOf,
  type ConversationState,
  emptyConversation,
  fold,
  foldAll,
  foldReaction,
  hide,
  isExpired,
  type MessageState,
  quoteOf,
} from './fold.ts'

const people = ['ann', 'bob', 'cid', 'dee'] as const
const roles = ['owner', 'admin', 'member'] as const

const emojis = ['👍', '❤️', '🎉'] as const
/** Bob reads: pages say what he has, and the fold knows it is him. */
const viewer = people[1]
const empty = conversationOf(viewer)

const acts = [
  'post',
  'post',
  'reply',
  'edit',
  'edit',
  'edit',
  'remove',
  'delete',
  'expire',
  'timer',
  'rename',
  'describe',
  'permit',
  'silence',
  'add',
  'leave',
  'inherit',
  'expel',
  'role',
  'pin',
  'pin',
  'unpin',
  'react',
  'react',
  'react',
  'react',
  'react',
  'count',
  'hand-on',
  'discuss',
  'discuss',
  'ask',
  'vote',
  'vote',
  'count',
  'close',
  'tomorrow',
] as const

/** One thing that happens; the numbers choose among what is possible at the time. */
interface Step {
  readonly act: (typeof acts)[number]
  readonly who: number
  readonly which: number
}

const stepOf = (...some: readonly Step['act'][]) =>
  fc.record<Step>({
    act: fc.constantFrom(...some),
    who: fc.nat({ max: people.length - 1 }),
    which: fc.nat(),
  })
const step = stepOf(...acts)
/** What needs several of its kind to go wrong. */
const threads = stepOf('post', 'discuss', 'discuss', 'discuss', 'discuss', 'remove')
const voting = stepOf('ask', 'vote', 'vote', 'vote', 'count', 'close', 'edit', 'remove')

/** The messages that an entry takes away. */
function targetsOf(entry: Entry): readonly number[] {
  if (isRemoval(entry)) return [entry.target]
  return entry.event === 'messages.expired' ? entry.targets : []
}

class Log {
  /** As it happened. */
  readonly live: Entry[] = []
  /** The seq of the last change of each message. */
  readonly #changes: Map<number, number>[] = []

  constructor(steps: readonly Step[]) {
    const members = people.map(user => ({ user, role: 'member' as const }))
    this.#write({ event: 'conversation.created', kind: 'group', name: 'Crew', members } as never, 'ann')
    for (const one of steps) this.#take(one)
  }

  #write(fields: Partial<Entry>, by: string, ...changes: readonly number[]): void {
    const seq = this.live.length + 1
    this.live.push({ conversation: 'crew', epoch: 1, at: 1_000 + seq, by, ...fields, seq } as Entry)
    const before = this.#changes.at(-1) ?? new Map<number, number>()
    this.#changes.push(new Map([...before, ...changes.map(target => [target, seq] as const)]))
  }

  #take({ act, who, which }: Step): void {
    const by = people[who]!
    const seq = this.live.length + 1
    const body = { text: `${act} ${seq}` }
    const messages = this.live.filter(entry => entry.event === 'message.new')
    const removed = new Set(this.live.flatMap(targetsOf))
    const standing = messages.filter(entry => !removed.has(entry.seq))
    const one = standing[which % Math.max(1, standing.length)]
    const user = people[which % people.length]!
    if (act === 'post')
      this.#write(
        { event: 'message.new', clientId: `c${seq}`, body, ...(which % 2 === 0 ? {} : { expiresAt: which }) },
        by,
      )
    else if (act === 'reply' && one)
      this.#write({ event: 'message.new', clientId: `c${seq}`, body, replyTo: one.seq }, by)
    else if (act === 'edit' && one)
      this.#write({ event: 'message.edited', clientId: `c${seq}`, target: one.seq, body }, one.by, one.seq)
    else if (act === 'remove' && one)
      this.#write({ event: 'message.removed', target: one.seq, removed: 'operator', body }, one.by, one.seq)
    else if (act === 'delete' && one)
      this.#write(
        { event: 'message.deleted', clientId: `c${seq}`, target: one.seq, removed: 'admin', body },
        by,
        one.seq,
      )
    else if (act === 'pin' && one) this.#write({ event: 'message.pinned', clientId: `c${seq}`, target: one.seq }, by)
    else if (act === 'unpin' && one)
      this.#write({ event: 'message.unpinned', clientId: `c${seq}`, target: one.seq }, by)
    else if (act === 'react' && one) this.#react(one.seq, by, emojis[which % emojis.length]!)
    else if (act === 'count' && one) this.#count(one.seq, by)
    else if (act === 'discuss' && one && one.thread === undefined)
      this.#write({ event: 'message.new', clientId: `c${seq}`, body, thread: one.seq }, by)
    else if (act === 'ask') this.#write({ event: 'message.new', clientId: `c${seq}`, body: question(seq) }, by)
    else if ((act === 'vote' || act === 'count' || act === 'close') && one?.body.type === 'poll')
      this.#poll(act, one.seq, by, which)
    else if (act === 'expire' && one) {
      // Several at once, and none of them twice.
      const targets = standing.filter((_, nth) => (nth + which) % 3 === 0).map(entry => entry.seq)
      if (targets.length > 0) this.#write({ event: 'messages.expired', targets, body }, one.by, ...targets)
    } else if (act === 'timer')
      this.#write({ event: 'conversation.timer_changed', timerMs: which % 2 === 0 ? null : which }, by)
    else if (act === 'rename') this.#write({ event: 'conversation.renamed', name: `Crew ${seq}` }, by)
    else if (act === 'describe')
      this.#write({ event: 'conversation.changed', description: `Of ${seq}`, avatar: null }, by)
    else if (act === 'permit') this.#write({ event: 'conversation.changed', slowModeMs: seq, forwarding: false }, by)
    else if (act === 'silence')
      this.#write({ event: 'member.silenced', user, until: which % 2 === 0 ? null : which }, by)
    else if (act === 'add') this.#write({ event: 'member.added', members: [{ user, role: 'member' }] }, by)
    else if (act === 'leave') this.#write({ event: 'member.left' }, by)
    else if (act === 'inherit') this.#write({ event: 'member.left', heir: user }, by)
    else if (act === 'hand-on')
      this.#write({ event: 'member.changed', user, role: 'owner', byRole: roles[which % roles.length]! }, by)
    else if (act === 'expel') this.#write({ event: 'member.removed', user }, by)
    else if (act === 'role') this.#write({ event: 'member.changed', user, role: roles[which % roles.length]! }, by)
    else if (act === 'tomorrow') this.#write({ event: 'sun.risen', target: 1 } as never, by)
  }

  #poll(act: 'vote' | 'count' | 'close', target: number, by: string, which: number): void {
    const before = this.#pollAt(target, this.live.length)
    if (before?.closed === true) return
    const { counts = [0, 0], voters = 0 } = before ?? {}
    const made = { clientId: `c${this.live.length + 1}`, target }
    const more = counts.map((count, nth) => count + Number(nth === which % 2))
    if (act === 'close') this.#write({ event: 'poll.closed', ...made, counts, voters }, by)
    else if (act === 'count') this.#write({ event: 'poll.counted', target, counts: more, voters: voters + 1 }, by)
    else this.#write({ event: 'poll.voted', ...made, options: [which % 2], counts: more, voters: voters + 1 }, by)
  }

  #react(target: number, by: string, emoji: string): void {
    const { version, all } = this.#reactionsAt(target, this.live.length)
    const before = all.get(by)?.emojis ?? []
    const on = !before.includes(emoji)
    const own = on ? [...before, emoji] : before.filter(one => one !== emoji)
    const counts = countsOf(new Map(all).set(by, { version: 0, emojis: own }))
    const seq = this.live.length + 1
    this.#write(
      { event: 'message.reacted', clientId: `c${seq}`, target, emoji, on, version: version + 1, counts, own },
      by,
    )
  }

  /** As a large conversation tells it: what others have counted is there already. */
  #count(target: number, by: string): void {
    const { version, all } = this.#reactionsAt(target, this.live.length)
    if (version > 0)
      this.#write({ event: 'reaction.counted', messages: [{ target, version, counts: countsOf(all) }] }, by)
  }

  #reactionsAt(target: number, head: number) {
    const all = new Map<string, { version: number; emojis: readonly string[] }>()
    let version = 0
    for (const entry of this.live.slice(0, head)) {
      if (entry.event !== 'message.reacted' || entry.target !== target) continue
      version = entry.version
      all.set(entry.by, { version, emojis: entry.own })
    }
    return { version, all }
  }

  #reactionPart(seq: number, head: number): Pick<EntryOf<'message.new'>, 'reactions'> {
    const { version, all } = this.#reactionsAt(seq, head)
    const removed = this.live.slice(0, head).some(entry => isRemovalOf(entry, seq))
    if (version === 0 || removed) return {}
    const own = all.get(viewer)
    const counts = countsOf(all)
    return {
      reactions: { version, counts, ...(own === undefined ? {} : { own: { ...own, emojis: [...own.emojis] } }) },
    }
  }

  /** An entry as it stands when the log has come to a head. */
  at(seq: number, head: number): Entry {
    const entry = this.live[seq - 1]!
    const changes = this.#changes[head - 1]!
    if (entry.event === 'message.edited' && changes.get(entry.target) !== seq) {
      const { body: _, ...outdated } = entry
      return outdated
    }
    if (entry.event !== 'message.new') return entry
    const changedSeq = changes.get(seq)
    const message = changedSeq === undefined ? entry : asChanged(entry, this.live[changedSeq - 1]!)
    const poll = message.removed === undefined ? this.#pollAt(seq, head) : undefined
    return {
      ...message,
      ...this.#pinAt(seq, head),
      ...this.#reactionPart(seq, head),
      ...this.#repliesAt(seq, head),
      ...(poll === undefined ? {} : { poll }),
    }
  }

  #pollAt(target: number, head: number): EntryOf<'message.new'>['poll'] {
    const said = this.live.slice(0, head).findLast(entry => isPoll(entry) && entry.target === target)
    if (said === undefined || !isPoll(said)) return undefined
    const { seq, counts, voters } = said
    return { seq, counts, voters, ...(said.event === 'poll.closed' ? { closed: true as const } : {}) }
  }

  #repliesAt(root: number, head: number): Pick<EntryOf<'message.new'>, 'replies'> {
    const log = this.live.slice(0, head)
    const all = log.filter(entry => entry.event === 'message.new' && entry.thread === root)
    const last = all.at(-1)
    if (last === undefined) return {}
    const seqs = new Set(all.map(entry => entry.seq))
    const takenBy = (entry: Entry) => targetsOf(entry).filter(one => seqs.has(one))
    const removals = log.filter(entry => takenBy(entry).length > 0)
    const taken = new Set(removals.flatMap(takenBy))
    const seq = Math.max(last.seq, removals.at(-1)?.seq ?? 0)
    const people = all.map(entry => entry.by).slice(-5)
    return { replies: { seq, count: all.length - taken.size, lastAt: last.at, people, following: false } }
  }

  #pinAt(target: number, head: number): Pick<EntryOf<'message.new'>, 'pin'> {
    const said = this.live.slice(0, head).findLast(entry => isPin(entry) && entry.target === target)
    return said === undefined ? {} : { pin: { seq: said.seq, pinned: said.event === 'message.pinned' } }
  }
}

const isRemovalOf = (entry: Entry, target: number): boolean =>
  entry.event === 'messages.expired' ? entry.targets.includes(target) : isRemoval(entry) && entry.target === target

function countsOf(all: ReadonlyMap<string, { readonly emojis: readonly string[] }>) {
  const given = [...all.values()].flatMap(one => one.emojis)
  return emojis.map(emoji => ({ emoji, count: given.filter(one => one === emoji).length })).filter(one => one.count > 0)
}

const question = (seq: number): PollBody => ({
  type: 'poll',
  question: `ask ${seq}`,
  options: ['yes', 'no'],
  fallback: `ask ${seq}`,
})

const isPoll = (entry: Entry): entry is EntryOf<'poll.voted' | 'poll.counted' | 'poll.closed'> =>
  entry.event === 'poll.voted' || entry.event === 'poll.counted' || entry.event === 'poll.closed'

const isPin = (entry: Entry): entry is EntryOf<'message.pinned' | 'message.unpinned'> =>
  entry.event === 'message.pinned' || entry.event === 'message.unpinned'

const isRemoval = (entry: Entry): entry is EntryOf<'message.removed' | 'message.deleted'> =>
  entry.event === 'message.removed' || entry.event === 'message.deleted'

function asChanged(message: EntryOf<'message.new'>, by: Entry): EntryOf<'message.new'> {
  if (by.event === 'message.edited') return { ...message, body: by.body!, changedSeq: by.seq, editedAt: by.at }
  if (isRemoval(by)) return { ...message, body: by.body, changedSeq: by.seq, removed: by.removed }
  if (by.event === 'messages.expired') return { ...message, body: by.body, changedSeq: by.seq, removed: 'expired' }
  return message
}

function steps(one: fc.Arbitrary<Step>) {
  return fc.array(one, { minLength: 1, maxLength: 40 })
}

/** What a client hears: single entries as they were live, and pages of a time. */
interface Hearing {
  readonly log: Log
  readonly heard: readonly Entry[]
}

const hearing: fc.Arbitrary<Hearing> = fc.oneof(...[step, threads, voting].map(steps)).chain(steps => {
  const log = new Log(steps)
  const count = log.live.length
  const page = fc
    .tuple(fc.integer({ min: 1, max: count }), fc.integer({ min: 1, max: count }))
    .map(([from, head]) => Array.from({ length: Math.max(0, head - from + 1) }, (_, nth) => log.at(from + nth, head)))
  // Each seq once for certain: live, or as it stood at any time after.
  const once = fc.tuple(
    ...log.live.map(({ seq }) =>
      fc
        .option(fc.integer({ min: seq, max: count }))
        .map(head => (head === null ? log.live[seq - 1]! : log.at(seq, head))),
    ),
  )
  return fc.tuple(once, fc.array(page, { maxLength: 4 })).chain(([sure, pages]) => {
    const all = [...sure, ...pages.flat()]
    return fc.shuffledSubarray(all, { minLength: all.length }).map(heard => ({ log, heard }))
  })
})

/** Maps in an order of their own; of threads what is shown. */
const plain = ({ members, silenced, messages, hidden, ...rest }: ConversationState) => ({
  ...rest,
  hidden: [...hidden].sort((a, b) => a - b),
  silenced: Object.fromEntries([...silenced].sort(([a], [b]) => (a < b ? -1 : 1))),
  members: Object.fromEntries([...members].sort(([a], [b]) => (a < b ? -1 : 1))),
  messages: Object.fromEntries([...messages].sort(([a], [b]) => a - b).map(([seq, message]) => [seq, shown(message)])),
})

function shown({ replies, ...message }: MessageState) {
  return replies === undefined ? message : { ...message, replies: { count: replies.count, lastAt: replies.lastAt } }
}

test('live, replayed and in pages, in any order and as often as you like: the state is the same', () => {
  fc.assert(
    fc.property(hearing, ({ log, heard }) => {
      expect(plain(foldAll(empty, heard))).toEqual(plain(foldAll(empty, log.live)))
    }),
    { numRuns: 300 },
  )
})

test('a page of the head alone gives the state, and what is heard again changes nothing', () => {
  fc.assert(
    fc.property(hearing, ({ log, heard }) => {
      const page = log.live.map(({ seq }) => log.at(seq, log.live.length))
      const state = foldAll(empty, page)
      expect(plain(state)).toEqual(plain(foldAll(empty, log.live)))
      expect(plain(foldAll(state, heard))).toEqual(plain(state))
    }),
  )
})

test('one by one is as all at once, and no state is changed by the next', () => {
  fc.assert(
    fc.property(hearing, ({ heard }) => {
      const states = heard.reduce<ConversationState[]>((all, entry) => [...all, fold(all.at(-1)!, entry)], [empty])
      const before = states.map(state => JSON.stringify(plain(state)))
      expect(plain(states.at(-1)!)).toEqual(plain(foldAll(empty, heard)))
      expect(states.map(state => JSON.stringify(plain(state)))).toEqual(before)
      expect(emptyConversation).toEqual({
        settings: {},
        members: new Map(),
        silenced: new Map(),
        messages: new Map(),
        hidden: new Set(),
        head: 0,
      })
    }),
    { numRuns: 30 },
  )
})

test('what the reader has hidden is gone, however it was heard, and comes back with nothing', () => {
  fc.assert(
    fc.property(hearing, fc.nat(), fc.infiniteStream(fc.boolean()), ({ log, heard }, which, flips) => {
      const messages = log.live.filter(entry => entry.event === 'message.new').map(entry => entry.seq)
      const hidden = new Set(messages.filter(seq => (which >> (seq % 30)) & 1))
      const expected = hide(foldAll(empty, log.live), hidden)
      expect([...expected.messages.keys()].filter(seq => hidden.has(seq))).toEqual([])
      // Pages of after the hiding between the ones of before, and live entries; each hidden place is heard of at least once.
      const told = heard.map(entry => (flips.next().value === true ? asHidden(entry, hidden) : entry))
      const places = log.live.filter(({ seq }) => hidden.has(seq)).map(entry => asHidden(entry, hidden))
      const mixed = which % 2 === 0 ? [...places, ...told] : [...told, ...places]
      expect(withoutThreads(foldAll(empty, mixed))).toEqual(withoutThreads(expected))
    }),
  )
})

/** Whoever has never heard a hidden reply does not know that it was one. */
function withoutThreads(state: ConversationState) {
  const messages = [...state.messages].map(([seq, { replies: _replies, ...message }]) => [seq, message] as const)
  return plain({ ...state, messages: new Map(messages) })
}

/** As a page holds it that was read after the hiding. */
function asHidden(entry: Entry, hidden: ReadonlySet<number>): Entry {
  const { conversation, seq, epoch, at, by } = entry
  if (entry.event === 'message.new' && hidden.has(seq))
    return { event: 'message.hidden', conversation, seq, epoch, at, by }
  if (entry.event !== 'message.edited' || !hidden.has(entry.target)) return entry
  const { body: _, ...edited } = entry
  return edited
}

describe('a message', () => {
  const place = { conversation: 'crew', epoch: 1, by: 'ann' }
  const posted: Entry = { ...place, event: 'message.new', seq: 2, at: 20, clientId: 'c2', body: { text: 'first' } }
  const edited: Entry = {
    ...place,
    event: 'message.edited',
    seq: 5,
    at: 50,
    clientId: 'c5',
    target: 2,
    body: { text: 'second' },
  }
  const contentOf = (entries: readonly Entry[]) => foldAll(emptyConversation, entries).messages.get(2)

  test('is what was said of it last, though the message itself is heard later', () => {
    const content = { seq: 5, value: { body: { text: 'second' }, editedAt: 50 } }
    expect(contentOf([edited])).toEqual({ content })
    expect(contentOf([edited, posted])).toEqual({ posted: { by: 'ann', at: 20, clientId: 'c2' }, content })
  })

  test('has an end by the clock of the store, however late that is told', () => {
    const { posted: known } = contentOf([{ ...posted, expiresAt: 1_000 }])!
    expect([999, 1_000].map(now => isExpired({ posted: known! }, now))).toEqual([false, true])
    expect(isExpired(contentOf([posted])!, Number.MAX_SAFE_INTEGER)).toBe(false)
    expect(isExpired(contentOf([edited])!, Number.MAX_SAFE_INTEGER)).toBe(false)
  })

  test('an edit that is older than the page says nothing', () => {
    const page: Entry = { ...posted, body: { text: 'third' }, changedSeq: 7, editedAt: 70 }
    expect(contentOf([page, edited])?.content).toEqual({ seq: 7, value: { body: { text: 'third' }, editedAt: 70 } })
  })

  test('is quoted by what is known here, and otherwise by what the page said', () => {
    const read = { seq: 2, state: 'shown', by: 'ann', body: { text: 'read' } } as const
    const reply = { ...posted, seq: 6, clientId: 'c6', replyTo: 2, quote: read } as EntryOf<'message.new'>
    const { quote: _, ...live } = reply
    expect(quoteOf(emptyConversation, reply)).toEqual(read)
    expect(quoteOf(emptyConversation, live)).toBeUndefined()
    const state = foldAll(emptyConversation, [posted, edited])
    expect(quoteOf(state, reply)).toEqual({ ...read, body: { text: 'second' } })
    const gone = { removed: 'sender', body: { text: 'Gone' } } as const
    const deleted: Entry = { ...place, ...gone, event: 'message.deleted', seq: 7, at: 70, clientId: 'c7', target: 2 }
    expect(quoteOf(fold(state, deleted), live)).toEqual({ seq: 2, state: 'deleted', by: 'ann' })
    expect(quoteOf(hide(state, [2]), reply)).toEqual({ seq: 2, state: 'unavailable' })
    const long = { ...edited, seq: 8, body: { text: 'é👍'.repeat(500) } }
    const { body } = quoteOf(fold(state, long), live)!
    expect(body).toEqual({ text: `${'é👍'.repeat(49)}é…` })
  })

  test('keeps whom a page has named as its origin, though it is told again without', () => {
    const forwarded = { ...posted, forwarded: { by: 'bob', at: 5 } }
    const unnamed = { ...posted, forwarded: { at: 5 } }
    for (const heard of [
      [forwarded, unnamed],
      [unnamed, forwarded],
    ])
      expect(contentOf(heard)?.posted?.forwarded).toEqual({ by: 'bob', at: 5 })
  })

  test('a reaction says who has what; only the viewer’s own is theirs, and what is older says nothing', () => {
    const reacted = (seq: number, by: string, count: number): Entry => ({
      ...place,
      event: 'message.reacted',
      seq,
      at: seq,
      by,
      clientId: `c${seq}`,
      target: 2,
      emoji: '👍',
      on: true,
      version: seq - 5,
      counts: [{ emoji: '👍', count }],
      own: ['👍'],
    })
    const both = [reacted(6, 'bob', 1), reacted(7, 'ann', 2)]
    const expected = { reactions: { version: 2, counts: [{ emoji: '👍', count: 2 }] } }
    expect(contentOf(both)).toEqual(expected)
    const own = { version: 1, emojis: ['👍'] }
    for (const heard of [both, both.toReversed()])
      expect(foldAll(conversationOf('bob'), heard).messages.get(2)).toEqual({ ...expected, own })
    const stored = {
      event: 'reaction.stored',
      conversation: 'crew',
      target: 2,
      version: 3,
      counts: [{ emoji: '👍', count: 1 }],
      own: [],
    } as const
    const after = foldReaction(foldAll(conversationOf('bob'), both), { ...stored, counts: [...stored.counts], own: [] })
    expect(after.messages.get(2)).toMatchObject({ reactions: { version: 3 }, own: { version: 3, emojis: [] } })
    expect(foldAll(after, both)).toEqual(after)
  })

  test('what has lost its content has no reactions, whatever is heard of it', () => {
    const removed: Entry = {
      ...place,
      event: 'message.removed',
      seq: 9,
      at: 90,
      target: 2,
      removed: 'operator',
      body: { text: '…' },
    }
    const counted: Entry = {
      ...place,
      event: 'reaction.counted',
      seq: 8,
      at: 80,
      messages: [{ target: 2, version: 3, counts: [{ emoji: '👍', count: 3 }] }],
    }
    for (const heard of [
      [counted, removed],
      [removed, counted],
    ])
      expect(contentOf(heard)).toEqual({ content: { seq: 9, value: { body: { text: '…' }, removed: 'operator' } } })
  })
})

test('a thread counts the replies that stand, whatever is heard twice, and costs no more for being long', () => {
  const place = { conversation: 'crew', epoch: 1, by: 'ann', event: 'message.new' as const }
  const message = (seq: number, more: Partial<EntryOf<'message.new'>> = {}): Entry => ({
    ...place,
    seq,
    at: seq,
    clientId: `c${seq}`,
    body: { text: 'hello' },
    ...more,
  })
  const replies = Array.from({ length: 5_000 }, (_, nth) => message(nth + 2, { thread: 1 }))
  const thread = foldAll(emptyConversation, [...replies, message(1), ...replies]).messages.get(1)?.replies
  expect(thread).toMatchObject({ count: 5_000, lastAt: 5_001 })
  const page = message(1, { replies: { seq: 5_001, count: 4_999, lastAt: 5_001, people: [], following: false } })
  const folded = foldAll(emptyConversation, [...replies, page]).messages.get(1)?.replies
  expect(folded).toMatchObject({ count: 4_999 })
  expect(folded?.beyond.size).toBe(0)
})

test('a message whose content is gone is no poll any more, and keeps its thread', () => {
  const place = { conversation: 'crew', epoch: 1, by: 'ann' }
  const asked: Entry = { ...place, event: 'message.new', seq: 1, at: 1, clientId: 'c1', body: question(1) }
  const made = { clientId: 'c2', target: 1, options: [0], counts: [1, 0], voters: 1 }
  const voted: Entry = { ...place, event: 'poll.voted', seq: 2, at: 2, ...made }
  const reply: Entry = { ...asked, seq: 3, at: 3, clientId: 'c3', body: { text: 'why?' }, thread: 1 }
  const removed = { event: 'message.removed', target: 1, removed: 'operator', body: { text: 'removed' } } as const
  const heard: Entry[] = [asked, voted, reply, { ...place, seq: 4, at: 4, ...removed }]
  for (const order of [heard, heard.toReversed()]) {
    const message = foldAll(emptyConversation, order).messages.get(1)
    expect(message).not.toHaveProperty('poll')
    expect(message?.replies?.count).toBe(1)
  }
})

test('a forwarded message whose content is gone does not say any more whose it was, in whatever order that is heard', () => {
  const place = { conversation: 'crew', epoch: 1, by: 'ann' }
  const posted = { ...place, event: 'message.new' as const, seq: 1, at: 10, clientId: 'c1' }
  const removed = { body: { text: 'deleted' }, removed: 'sender' as const }
  const live: Entry = { ...posted, body: { text: 'hello' }, forwarded: { by: 'bob', at: 5 } }
  const read: Entry = { ...posted, ...removed, changedSeq: 2 }
  const deleted: Entry = { ...place, event: 'message.deleted', seq: 2, at: 20, clientId: 'c2', target: 1, ...removed }
  const standing = foldAll(emptyConversation, [read, deleted])
  expect(standing.messages.get(1)?.posted).toEqual({ by: 'ann', at: 10, clientId: 'c1' })
  for (const heard of [
    [live, deleted],
    [deleted, live],
    [live, read, deleted],
    [read, live, deleted],
  ])
    expect(foldAll(emptyConversation, heard)).toEqual(standing)
})
