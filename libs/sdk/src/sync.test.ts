import { type Entry, limits, type ReplyOf } from '@flotilla/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Effect, type PageQuestion, type ResumeQuestion, Sync, syncDefaults } from './sync.ts'

const me = 'ann'

function entry(seq: number, epoch = 1, conversation = 'c'): Entry {
  const place = { conversation, seq, epoch, at: 0, by: 'bob' }
  return { event: 'message.new', ...place, clientId: `m${seq}`, body: { text: `${seq}` } }
}
const entries = (from: number, to: number, epoch = 1) =>
  Array.from({ length: to - from + 1 }, (_, index) => entry(from + index, epoch))
const page = (list: Entry[], head: number, from = 1, epoch = 1) => ({ entries: list, head, from, epoch })

/** What the effects hand on, in short: `3` an entry, `resync 5` where it starts again, `left`, `page 7`. */
function short(effects: readonly Effect[] | undefined): string[] {
  return (effects ?? []).map(effect => {
    if (effect.do === 'hand') return `${effect.entry.seq}`
    if (effect.do === 'resync') return `resync ${effect.cursor}`
    if (effect.do === 'page') return `page ${effect.question.after ?? 'latest'}`
    if (effect.do === 'ask') return `ask after ${effect.question.fields.after ?? 'nothing'}`
    return effect.do === 'resume' ? `resume ${effect.epoch}` : effect.do
  })
}
function question(effects: readonly Effect[]): PageQuestion {
  const found = effects.find(effect => effect.do === 'page')
  if (found === undefined) throw new Error('no page was asked for')
  return found.question
}
/** Asks one question after the other, and answers each. */
function resumeAll(
  sync: Sync,
  epoch: number,
  answer: (question: ResumeQuestion) => Partial<ReplyOf<'sync.resume'>> = () => ({}),
): ResumeQuestion[] {
  const asked: ResumeQuestion[] = []
  for (let next: ResumeQuestion | undefined = sync.begin(me, epoch); next !== undefined; ) {
    asked.push(next)
    const effects: readonly Effect[] = sync.resumed(next, { epoch, verdicts: [], ...answer(next) }, 0) ?? []
    next = effects.find(effect => effect.do === 'ask')?.question
  }
  return asked
}

/** A core that is live, with everything up to 10 handed on. */
function liveAt10(options: Partial<typeof syncDefaults> = {}): Sync {
  const sync = new Sync(options)
  sync.restore([{ conversation: 'c', epoch: 1, seq: 10 }])
  sync.resumed(sync.begin(me, 1), { epoch: 1, verdicts: [] }, 0)
  return sync
}

test('entries in order pass at once; a second copy of any of them does not', () => {
  const sync = liveAt10()
  expect(short(sync.entry(entry(11), 0))).toEqual(['11'])
  expect(short(sync.entry(entry(11), 0))).toEqual([])
  expect(short(sync.entry(entry(9), 0))).toEqual([])
  expect(sync.dueAt()).toBeUndefined()
})

test('a gap that closes by itself in time costs no question', () => {
  const sync = liveAt10()
  expect(short(sync.entry(entry(13), 0))).toEqual([])
  expect(short(sync.entry(entry(12), 50))).toEqual([])
  expect(sync.dueAt()).toBe(syncDefaults.gapWaitMs)
  expect(short(sync.entry(entry(11), 100))).toEqual(['11', '12', '13'])
  expect(sync.dueAt()).toBeUndefined()
})

test('a gap that stays is fetched after the wait, once, and what waited beyond it follows', () => {
  const sync = liveAt10()
  sync.entry(entry(13), 0)
  expect(short(sync.due(199))).toEqual([])
  const asked = sync.due(200)
  expect(short(asked)).toEqual(['page 10'])
  expect(short(sync.due(500))).toEqual([])
  expect(short(sync.paged(question(asked), page(entries(11, 12), 13), 500))).toEqual(['11', '12', '13'])
})

test('a busy conversation whose order is always a little off never counts as a gap', () => {
  const sync = liveAt10()
  const handed: string[] = []
  for (let seq = 11; seq < 111; seq += 2) {
    const now = (seq - 11) * 25
    handed.push(...short(sync.entry(entry(seq + 1), now)), ...short(sync.due(now)))
    handed.push(...short(sync.entry(entry(seq), now + 25)), ...short(sync.due(now + 25)))
  }
  expect(handed).toEqual(entries(11, 110).map(one => `${one.seq}`))
})

test('a head beyond the cursor is fetched although no entry shows the gap', () => {
  const sync = liveAt10()
  expect(short(sync.heads(1, [{ conversation: 'c', head: 12 }], 0))).toEqual([])
  expect(short(sync.due(200))).toEqual(['page 10'])
})

test('a head that the page does not confirm is dropped', () => {
  const sync = liveAt10()
  sync.heads(1, [{ conversation: 'c', head: 12 }], 0)
  expect(short(sync.paged(question(sync.due(200)), page([], 10), 300))).toEqual([])
  expect(sync.dueAt()).toBeUndefined()
})

test('pages follow each other without a wait until the head is reached', () => {
  const sync = liveAt10()
  sync.heads(1, [{ conversation: 'c', head: 16 }], 0)
  const first = question(sync.due(200))
  expect(short(sync.paged(first, page(entries(11, 13), 16), 300))).toEqual(['11', '12', '13'])
  const second = question(sync.due(300))
  expect(second.after).toBe(13)
  expect(short(sync.paged(second, page(entries(14, 16), 16), 300))).toEqual(['14', '15', '16'])
})

test('a failed page is asked for again, later and later, and not before the time that the server named', () => {
  const sync = liveAt10()
  sync.entry(entry(12), 0)
  sync.pageFailed(question(sync.due(200)), { gone: false }, 200)
  expect(sync.dueAt()).toBe(400)
  sync.pageFailed(question(sync.due(400)), { gone: false, retryMs: 3_000 }, 400)
  expect(sync.dueAt()).toBe(3_400)
  // A live entry does not make it impatient.
  sync.entry(entry(13), 500)
  expect(sync.dueAt()).toBe(3_400)
})

test('a store that lacks what its heads promise leads to a resync, never to a silent gap', () => {
  const sync = liveAt10()
  sync.entry(entry(12), 0)
  let now = 200
  for (let tries = 0; tries < syncDefaults.emptyPagesMax; tries++) {
    const asked = sync.due(now)
    expect(short(asked)).toEqual(['page 10'])
    expect(short(sync.paged(question(asked), page([entry(12)], 12), now))).toEqual([])
    now = sync.dueAt() ?? 0
  }
  const latest = sync.due(now)
  expect(short(latest)).toEqual(['page latest'])
  expect(short(sync.paged(question(latest), page([entry(12)], 12), now))).toEqual(['resync 11', '12'])
})

test('pages for a gap that has moved meanwhile say nothing about the store', () => {
  const sync = liveAt10()
  sync.entry(entry(12), 0)
  for (let round = 0, now = 0; round < 2 * syncDefaults.emptyPagesMax; round++) {
    now = sync.dueAt() ?? 0
    const asked = sync.due(now)
    const missing = (question(asked).after ?? 0) + 1
    // The gap closes by itself, and another one opens before the answer comes.
    expect(short(sync.entry(entry(missing), now))).toEqual([`${missing}`, `${missing + 1}`])
    sync.entry(entry(missing + 3), now)
    const late = page(entries(missing, missing + 1), missing + 3)
    expect(short(sync.paged(question(asked), late, now))).toEqual([])
    expect(question(sync.due(sync.dueAt() ?? 0)).after).toBe(missing + 1)
    sync.disconnected()
    sync.resumed(sync.begin(me, 1), { epoch: 1, verdicts: [] }, now)
  }
})

test('the verdicts', () => {
  const sync = new Sync()
  sync.restore(
    ['even', 'replayed', 'behind', 'resync', 'left'].map(conversation => ({ conversation, epoch: 1, seq: 10 })),
  )
  const asked = sync.begin(me, 1)
  expect(asked.fields).toMatchObject({ epoch: 1, only: false })
  const place = { conversation: 'replayed', epoch: 1, at: 0, by: 'bob', clientId: 'x', body: { text: 'x' } }
  const verdicts: ReplyOf<'sync.resume'>['verdicts'] = [
    {
      conversation: 'replayed',
      verdict: 'replayed',
      head: 12,
      entries: [11, 12].map(seq => ({ event: 'message.new', seq, ...place })),
    },
    { conversation: 'behind', verdict: 'behind', head: 900, from: 1 },
    { conversation: 'resync', verdict: 'resync', head: 90_000, from: 1 },
    { conversation: 'left', verdict: 'left' },
  ]
  expect(short(sync.resumed(asked, { epoch: 1, verdicts }, 0))).toEqual(['11', '12', 'left'])
  expect(sync.due(0)).toMatchObject([
    { do: 'page', question: { conversation: 'behind', after: 10 } },
    { do: 'page', question: { conversation: 'resync' } },
  ])
})

test('a new device that wants everything starts where the server says', () => {
  const sync = new Sync({ history: 'all' })
  const asked = sync.begin(me, 1)
  expect(asked.fields).toEqual({ cursors: [], only: false })
  const verdicts: ReplyOf<'sync.resume'>['verdicts'] = [
    { conversation: 'c', verdict: 'replayed', head: 6, entries: entries(5, 6) },
    { conversation: 'long', verdict: 'behind', head: 900, from: 300 },
  ]
  expect(short(sync.resumed(asked, { epoch: 1, verdicts }, 0))).toEqual(['5', '6'])
  expect(sync.due(0)).toMatchObject([{ question: { conversation: 'long', after: 299 } }])
})

test('a new device starts at the latest page or at what is unread, as the node says, and goes on without a gap', () => {
  const sync = new Sync({ history: 'unread' })
  const asked = sync.begin(me, 1)
  expect(asked.fields).toEqual({ cursors: [], only: false, start: 'unread' })
  // What was stored before the verdict may come live before it.
  sync.entry(entry(90), 0)
  sync.entry(entry(91), 0)
  const verdicts: ReplyOf<'sync.resume'>['verdicts'] = [
    { conversation: 'c', verdict: 'replayed', head: 90, entries: entries(81, 90) },
    { conversation: 'read', verdict: 'replayed', head: 7, entries: [] },
    { conversation: 'long', verdict: 'behind', head: 9_000, from: 1, after: 2_000 },
    { conversation: 'endless', verdict: 'resync', head: 90_000, from: 1 },
  ]
  const effects = sync.resumed(asked, { epoch: 1, verdicts }, 0)
  expect(short(effects)).toEqual(entries(81, 91).map(one => `${one.seq}`))
  expect(effects?.map(effect => effect.do === 'hand' && effect.replayed)).toEqual([...Array(10).fill(true), false])
  expect(sync.due(0)).toMatchObject([
    { question: { conversation: 'long', after: 2_000 } },
    { question: { conversation: 'endless' } },
  ])
  // It stands at the head: the next one follows.
  expect(sync.entry(entry(8, 1, 'read'), 1)).toMatchObject([{ do: 'hand', replayed: false }])
  expect(sync.seen(1)).toContainEqual({ conversation: 'read', seq: 8 })
})

test('a node that does not know where to begin says everything, and the latest page is taken from it', () => {
  const sync = new Sync()
  const { number, fields } = sync.begin(me, 1)
  const asked = { number, fields: { ...fields, start: undefined } } as unknown as ResumeQuestion
  const verdicts: ReplyOf<'sync.resume'>['verdicts'] = [
    { conversation: 'c', verdict: 'replayed', head: 120, entries: entries(1, 120) },
    { conversation: 'long', verdict: 'behind', head: 9_000, from: 1 },
    { conversation: 'endless', verdict: 'resync', head: 90_000, from: 1 },
  ]
  const first = 120 - limits.resumeLatestMax + 1
  const effects = sync.resumed(asked, { epoch: 1, verdicts }, 0)
  expect(short(effects)).toEqual(entries(first, 120).map(one => `${one.seq}`))
  expect(sync.due(0)).toMatchObject([
    { question: { conversation: 'long', after: 9_000 - limits.resumeLatestMax } },
    { question: { conversation: 'endless', after: 90_000 - limits.resumeLatestMax } },
  ])
})

test('whoever is added while connected has all of it from there on, and none of it is old', () => {
  const sync = liveAt10()
  // The addition itself was lost.
  sync.entry(entry(40, 1, 'n'), 0)
  const asked = sync.due(0)
  expect(asked).toMatchObject([{ question: { conversation: 'n', after: 0 } }])
  const since = Array.from({ length: 6 }, (_, at) => entry(35 + at, 1, 'n'))
  const effects = sync.paged(question(asked), page(since, 40, 35), 1)
  expect(short(effects)).toEqual(['35', '36', '37', '38', '39', '40'])
  expect(effects.every(effect => effect.do === 'hand' && !effect.replayed)).toBe(true)
})

test('what comes before the verdict is kept and merged with it', () => {
  const sync = new Sync()
  sync.restore([{ conversation: 'c', epoch: 1, seq: 10 }])
  const asked = sync.begin(me, 1)
  expect(short(sync.entry(entry(13), 0))).toEqual([])
  expect(sync.dueAt(), 'no page while the verdict is awaited').toBeUndefined()
  const verdict = { conversation: 'c', verdict: 'replayed' as const, head: 12, entries: entries(11, 12) }
  expect(short(sync.resumed(asked, { epoch: 1, verdicts: [verdict] }, 0))).toEqual(['11', '12', '13'])
})

const knownIds = Array.from({ length: 2 * limits.resumeCursorsMax + 1 }, (_, at) => `c${String(at).padStart(4, '0')}`)

test('more cursors than fit go in several questions, each with the range of ids that it covers', () => {
  const sync = new Sync()
  sync.restore(knownIds.toReversed().map(conversation => ({ conversation, epoch: 1, seq: 1 })))
  const asked = resumeAll(sync, 1)
  expect(asked.map(({ fields: { cursors, after, upto } }) => [cursors.length, after, upto])).toEqual([
    [limits.resumeCursorsMax, undefined, 'c0399'],
    [limits.resumeCursorsMax, 'c0399', 'c0799'],
    [1, 'c0799', undefined],
  ])
  expect(asked.flatMap(({ fields }) => fields.cursors.map(cursor => cursor.conversation))).toEqual(knownIds)
})

test('an answer that was cut is gone on with after the place that it names, and no page is asked for before the end', () => {
  const sync = new Sync()
  sync.restore(['b', 'd'].map(conversation => ({ conversation, epoch: 1, seq: 1 })))
  const pages = new Map([
    [
      undefined,
      { verdicts: [{ conversation: 'a', verdict: 'behind' as const, head: 9, from: 1, after: 3 }], next: 'a' },
    ],
    ['a', { verdicts: [{ conversation: 'c', verdict: 'behind' as const, head: 9, from: 1, after: 5 }], next: 'c' }],
  ])
  const asked = resumeAll(sync, 1, ({ fields }) => {
    expect(sync.due(0)).toEqual([])
    return pages.get(fields.after) ?? {}
  })
  expect(asked.map(({ fields }) => [fields.after, fields.cursors.map(cursor => cursor.conversation)])).toEqual([
    [undefined, ['b', 'd']],
    ['a', ['b', 'd']],
    ['c', ['d']],
  ])
  expect(short(sync.due(0))).toEqual(['page 3', 'page 5'])
})

test('an answer that takes a known conversation for a new one does not make its cursor void', () => {
  const sync = new Sync()
  sync.restore(knownIds.map(conversation => ({ conversation, epoch: 1, seq: 1 })))
  // A node of a version before knows no ranges: its last answer is about everything that it does not name.
  const verdict = { conversation: 'c0000', verdict: 'resync' as const, head: 20_000, from: 1 }
  resumeAll(sync, 1, ({ fields }) => (fields.upto === undefined ? { verdicts: [verdict] } : {}))
  expect(sync.due(0)).toMatchObject([{ question: { conversation: 'c0000', after: 1 } }])
})

test('what the line did not carry is asked for in half, alone, and grows again with what arrives', () => {
  const sync = new Sync()
  sync.restore(knownIds.slice(0, 8).map(conversation => ({ conversation, epoch: 1, seq: 1 })))
  const verdicts = knownIds
    .slice(0, 8)
    .map(conversation => ({ conversation, verdict: 'behind' as const, head: 900, from: 1 }))
  const sizes = (effects: readonly Effect[]) =>
    effects.flatMap(effect => (effect.do === 'page' ? [[effect.question.limit, effect.question.bytesMax]] : []))
  const { historyPageMax, replyBytesMax } = limits
  resumeAll(sync, 1, () => ({ verdicts }))
  const before = sync.due(0)
  expect(sizes(before)).toEqual(Array.from({ length: 4 }, () => [historyPageMax, undefined]))
  sync.disconnected('slow_consumer')
  // Several that were under way are one sign.
  sync.pageFailed(question(before), { gone: false, late: true }, 0)
  const [asked] = resumeAll(sync, 1, () => ({ verdicts }))
  expect(asked?.fields.bytesMax).toBe(replyBytesMax / 2)
  expect(sizes(sync.due(0))).toEqual(Array.from({ length: 2 }, () => [historyPageMax / 2, replyBytesMax / 2]))
  for (const [nth, left] of [4, 8, 16, 16].entries()) {
    sync.disconnected(nth % 2 === 0 ? 'timed_out' : 'slow_consumer')
    const [smaller] = resumeAll(sync, 1, () => ({ verdicts }))
    expect(smaller?.fields.bytesMax).toBe(replyBytesMax / left)
    sync.due(0)
  }
  let seq = 1
  const bytes: (number | undefined)[] = []
  sync.disconnected()
  resumeAll(sync, 1, () => ({ verdicts }))
  for (let answers = 0; answers < 600; answers++) {
    const asked = question(sync.due(0))
    bytes.push(asked.bytesMax)
    const one = entry(++seq, 1, asked.conversation)
    sync.paged(asked, page([one], 900), 0)
    sync.handed(asked.conversation, 0)
  }
  expect([...new Set(bytes)].map(max => (max === undefined ? 1 : replyBytesMax / max))).toEqual([16, 8, 4, 2, 1])
})

test('a connection that ends for another reason, or while nothing is asked, changes nothing', () => {
  const sync = liveAt10()
  for (const reason of ['node_draining', 'closed_1006', 'timed_out', undefined]) {
    sync.disconnected(reason)
    const [asked] = resumeAll(sync, 1)
    expect(asked?.fields.bytesMax, reason).toBeUndefined()
  }
  // In the middle of an answer, silence is a sign.
  const asked = sync.begin(me, 1)
  expect(sync.slower(asked)).toMatchObject({ number: asked.number, fields: { bytesMax: limits.replyBytesMax / 2 } })
})

test('another epoch at the connection: every cursor is sent with its own, and every conversation starts again', () => {
  const sync = new Sync()
  sync.restore([
    { conversation: 'c', epoch: 1, seq: 10 },
    { conversation: 'd', epoch: 2, seq: 3 },
  ])
  // Even a server that says nothing about c: its cursor means nothing any more.
  const questions = resumeAll(sync, 2)
  expect(questions.map(({ fields }) => [fields.epoch, fields.cursors, fields.only])).toEqual([
    [1, [{ conversation: 'c', seq: 10 }], true],
    [2, [{ conversation: 'd', seq: 3 }], false],
  ])
  const asked = sync.due(0)
  expect(short(asked)).toEqual(['page latest'])
  expect(short(sync.paged(question(asked), page(entries(7, 8, 2), 8, 1, 2), 0))).toEqual(['resync 6', '7', '8'])
})

test('another epoch under way: resume again; what is late from the old one is dropped', () => {
  const sync = liveAt10()
  sync.entry(entry(13), 0)
  expect(short(sync.entry(entry(11, 2), 0))).toEqual(['resume 2'])
  const asked = sync.begin(me, 2)
  expect(short(sync.entry(entry(11, 1), 0))).toEqual([])
  expect(short(sync.entry(entry(12, 2), 0))).toEqual([])
  sync.resumed(asked, { epoch: 2, verdicts: [{ conversation: 'c', verdict: 'resync', head: 11, from: 1 }] }, 0)
  const latest = question(sync.due(0))
  // 12 of this epoch was kept, 13 of the old one was not.
  expect(short(sync.paged(latest, page(entries(9, 11, 2), 11, 1, 2), 0))).toEqual(['resync 8', '9', '10', '11', '12'])
})

test('another epoch under way, before it is known where a conversation begins: what waited for that is dropped', () => {
  const sync = liveAt10()
  sync.entry(entry(58, 1, 'n'), 0)
  expect(short(sync.entry(entry(11, 2), 0))).toEqual(['resume 2'])
  resumeAll(sync, 2)
  const asked = sync.due(0).find(effect => effect.do === 'page' && effect.question.conversation === 'n')
  const first = { ...entry(57, 2, 'n') }
  expect(short(sync.paged(question(asked ? [asked] : []), page([first], 57, 57, 2), 0))).toEqual(['57'])
  expect(short(sync.entry(entry(58, 2, 'n'), 0))).toEqual(['58'])
})

test('a node that has not heard of the epoch yet is asked again', () => {
  const sync = new Sync()
  const asked = sync.begin(me, 2)
  expect(sync.resumed(asked, { epoch: 1, verdicts: [] }, 0)).toBeUndefined()
  expect(sync.wants(asked)).toBe(true)
})

test('a conversation that begins with a live entry needs no question', () => {
  const sync = liveAt10()
  const base = { epoch: 1, at: 0, by: 'bob', members: [{ user: me, role: 'member' as const }] }
  expect(
    short(sync.entry({ event: 'conversation.created', conversation: 'n', seq: 1, kind: 'group', ...base }, 0)),
  ).toEqual(['1'])
  expect(short(sync.entry({ event: 'member.added', conversation: 'o', seq: 57, ...base }, 0))).toEqual(['57'])
})

test('one whose beginning was lost is asked for at once, from where the person may see it', () => {
  const sync = liveAt10()
  expect(short(sync.entry(entry(58, 1, 'n'), 0))).toEqual([])
  const asked = sync.due(0)
  expect(short(asked)).toEqual(['page 0'])
  expect(short(sync.paged(question(asked), page([entry(57, 1, 'n')], 58, 57), 0))).toEqual(['57', '58'])
})

test('left in another epoch: the old cursor does not stand in the way of what is new there', () => {
  const sync = new Sync()
  sync.restore([{ conversation: 'c', epoch: 1, seq: 10 }])
  const asked = sync.begin(me, 2)
  const left = { conversation: 'c', verdict: 'left' as const }
  expect(short(sync.resumed(asked, { epoch: 2, verdicts: [left] }, 0))).toEqual(['left'])
  const members = [{ user: me, role: 'member' as const }]
  const added = { conversation: 'c', epoch: 2, at: 0, by: 'bob', event: 'member.added' as const, seq: 5, members }
  expect(short(sync.entry(added, 0))).toEqual(['5'])
})

test('a person who is removed gets that entry, then `left`, and nothing later; added again, it begins again', () => {
  const sync = liveAt10()
  const base = { conversation: 'c', epoch: 1, at: 0, by: 'bob' }
  expect(short(sync.entry(entry(12), 0))).toEqual([])
  expect(short(sync.entry({ event: 'member.removed', seq: 11, user: me, ...base }, 0))).toEqual(['11', 'left'])
  expect(short(sync.entry(entry(9), 0)), 'late').toEqual([])
  const members = [{ user: me, role: 'member' as const }]
  expect(short(sync.entry({ event: 'member.added', seq: 20, members, ...base }, 0))).toEqual(['20'])
})

test('added again unseen: the page begins beyond the cursor, and that is said', () => {
  const sync = liveAt10()
  sync.entry(entry(31), 0)
  const asked = question(sync.due(200))
  expect(short(sync.paged(asked, page(entries(30, 31), 31, 30), 200))).toEqual(['resync 29', '30', '31'])
})

test('removed while it asks what there is: an answer from before brings nothing twice, one from after begins behind it', () => {
  const base = { conversation: 'c', epoch: 1, at: 0, by: 'bob' } as const
  const added = (seq: number): Entry => ({
    ...base,
    event: 'member.added',
    seq,
    members: [{ user: me, role: 'member' }],
  })
  const removed = (): Sync => {
    const sync = new Sync({ history: 'all' })
    const asked = sync.begin(me, 1)
    expect(short(sync.entry(added(90), 0))).toEqual(['90'])
    expect(short(sync.entry({ ...base, event: 'member.removed', seq: 91, user: me }, 0))).toEqual(['91', 'left'])
    answer = verdict => short(sync.resumed(asked, { epoch: 1, verdicts: [verdict] }, 0))
    return sync
  }
  let answer: (verdict: ReplyOf<'sync.resume'>['verdicts'][number]) => string[] = () => []
  const place = { conversation: 'c' }
  const sync = removed()
  expect(answer({ ...place, verdict: 'replayed', head: 90, entries: [added(90)] })).toEqual([])
  expect(short(sync.due(1_000))).toEqual([])
  removed()
  expect(answer({ ...place, verdict: 'behind', from: 90, head: 90 })).toEqual([])
  removed()
  // Added again meanwhile, as the node that answers knows already.
  const again = [added(95), entry(96)]
  expect(answer({ conversation: 'c', verdict: 'replayed', head: 96, entries: again })).toEqual(['95', '96'])
})

test('a refused page means left; of what was never known nothing is said', () => {
  const sync = liveAt10()
  sync.entry(entry(12), 0)
  expect(short(sync.pageFailed(question(sync.due(200)), { gone: true }, 200))).toEqual(['left'])
  // What waited beyond the gap could be of a new membership: that is asked once.
  const again = sync.due(200)
  expect(short(again)).toEqual(['page 0'])
  expect(short(sync.pageFailed(question(again), { gone: true }, 200))).toEqual([])
  expect(sync.dueAt()).toBeUndefined()
})

test('a refusal that the entry of being added again has overtaken says nothing: it is asked once more', () => {
  const base = { conversation: 'c', epoch: 1, at: 0, by: 'bob' } as const
  const members = [{ user: me, role: 'member' as const }]
  /** Out, and told by a head that there is more: it asks, and is added again before it is refused. */
  const overtaken = (since?: number) => {
    const sync = liveAt10()
    expect(short(sync.entry({ event: 'member.removed', seq: 11, user: me, ...base }, 0))).toEqual(['11', 'left'])
    sync.heads(1, [{ conversation: 'c', head: 12 }], 0)
    const asked = question(sync.due(200))
    const added = {
      event: 'member.added' as const,
      seq: 13,
      members,
      ...base,
      ...(since === undefined ? {} : { since }),
    }
    return { sync, asked, heard: short(sync.entry(added, 300)), added }
  }
  const { sync, asked, heard } = overtaken()
  expect(heard).toEqual(['13'])
  expect(short(sync.pageFailed(asked, { gone: true }, 400))).toEqual([])
  const again = question(sync.due(1_000))
  expect(short(sync.paged(again, page([], 13, 13), 1_000))).toEqual([])
  expect(short(sync.entry(entry(14), 1_100))).toEqual(['14'])

  // Who sees what was said before begins earlier, and not with that entry.
  const earlier = overtaken(12)
  expect(earlier.heard).toEqual([])
  expect(short(earlier.sync.pageFailed(earlier.asked, { gone: true }, 400))).toEqual([])
  const whole = page([entry(12), earlier.added], 13, 12)
  expect(short(earlier.sync.paged(question(earlier.sync.due(1_000)), whole, 1_000))).toEqual(['12', '13'])

  // And who is out again is told so by the next answer.
  const out = overtaken()
  expect(short(out.sync.pageFailed(out.asked, { gone: true }, 400))).toEqual([])
  expect(short(out.sync.pageFailed(question(out.sync.due(1_000)), { gone: true }, 1_000))).toEqual(['left'])
})

test('added again, and shown what was said before: the old removal in it ends nothing, a new one does', () => {
  const base = { conversation: 'c', epoch: 1, at: 0, by: 'bob' } as const
  const removed = (seq: number): Entry => ({ ...base, event: 'member.removed', seq, user: me })
  const added: Entry = { ...base, event: 'member.added', seq: 12, since: 10, members: [{ user: me, role: 'member' }] }
  const log = [entry(10), removed(11), added]
  const paged = liveAt10()
  expect(short(paged.entry(removed(11), 0))).toEqual(['11', 'left'])
  expect(short(paged.entry(added, 0))).toEqual([])
  expect(short(paged.paged(question(paged.due(0)), page(log, 12, 10), 0))).toEqual(['10', '11', '12'])
  expect(short(paged.entry(removed(13), 0))).toEqual(['13', 'left'])

  const sync = new Sync({ history: 'all' })
  const replayed = { conversation: 'c', verdict: 'replayed' as const, head: 12, entries: log }
  expect(short(sync.resumed(sync.begin(me, 1), { epoch: 1, verdicts: [replayed] }, 0))).toEqual(['10', '11', '12'])
})

test('an answer that was asked for on a former connection is passed over', () => {
  const sync = liveAt10()
  sync.entry(entry(12), 0)
  const asked = question(sync.due(200))
  sync.disconnected()
  expect(sync.dueAt()).toBeUndefined()
  sync.begin(me, 1)
  expect(short(sync.paged(asked, page(entries(11, 12), 12), 300))).toEqual([])
})

test('a ping asks about the liveliest conversations, and not about those at rest', () => {
  const sync = new Sync()
  sync.restore(Array.from({ length: 100 }, (_, at) => ({ conversation: `c${at}`, epoch: 1, seq: at })))
  sync.resumed(sync.begin(me, 1), { epoch: 1, verdicts: [] }, 0)
  expect(sync.seen(0)).toEqual([])
  for (let at = 0; at < 50; at++) sync.touch(`c${at}`, at)
  expect(sync.seen(100)).toHaveLength(32)
  expect(sync.seen(100)[0]).toEqual({ conversation: 'c49', seq: 49 })
  expect(sync.seen(syncDefaults.activeMs + 48)).toEqual([{ conversation: 'c49', seq: 49 }])
})

test('an application that takes nothing stops the fetching, and what was dropped comes when it takes again', () => {
  const sync = liveAt10({ unhandedEntriesMax: 4 })
  for (let seq = 11; seq <= 20; seq++) sync.entry(entry(seq), 0)
  expect(sync.dueAt(), 'full').toBeUndefined()
  for (let taken = 0; taken < 4; taken++) sync.handed('c', 100)
  const asked = sync.due(100)
  expect(short(asked)).toEqual(['page 14'])
  expect(short(sync.paged(question(asked), page(entries(15, 20), 20), 100))).toEqual(['15', '16', '17', '18'])
})

test('an application that is slow through a change of epoch gets nothing of the new one before it is told', () => {
  const sync = liveAt10({ unhandedEntriesMax: 4 })
  for (let seq = 11; seq <= 14; seq++) sync.entry(entry(seq), 0)
  sync.entry(entry(15, 2), 0)
  const asked = sync.begin(me, 2)
  sync.handed('c', 0)
  sync.handed('c', 0)
  expect(short(sync.entry(entry(15, 2), 0))).toEqual([])
  sync.handed('c', 0)
  expect(short(sync.handed('c', 0))).toEqual([])
  sync.resumed(asked, { epoch: 2, verdicts: [{ conversation: 'c', verdict: 'resync', head: 15, from: 1 }] }, 0)
  const latest = question(sync.due(0))
  expect(short(sync.paged(latest, page(entries(14, 15, 2), 15, 1, 2), 0))).toEqual(['resync 13', '14', '15'])
})

/**
 * The core alone, with tiny limits, against a log that grows: every entry arrives any number of times in any order, or
 * never; pages are short, fail, or come after the connection is gone; the application is slow.
 */
test('whatever arrives how, the application gets every entry once and in order', () => {
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.record({ do: fc.constant('arrive' as const), back: fc.nat(12) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('grow' as const), count: fc.integer({ min: 1, max: 6 }) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('answer' as const), size: fc.integer({ min: 1, max: 5 }) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('fail' as const) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('take' as const), count: fc.integer({ min: 1, max: 5 }) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('reconnect' as const), size: fc.nat(8) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('heads' as const) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(400) }) },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80, size: 'max' }), steps => {
      const sync = new Sync({ bufferEntriesMax: 3, unhandedEntriesMax: 5 })
      const handed: number[] = []
      const asked: PageQuestion[] = []
      let [now, head, taken] = [0, 3, 0]
      const run = (effects: readonly Effect[] | undefined) => {
        for (const effect of effects ?? []) {
          if (effect.do === 'hand') handed.push(effect.entry.seq)
          else if (effect.do === 'page') asked.push(effect.question)
          else throw new Error(`${effect.do} was not called for`)
        }
        expect(handed.length - taken, 'entries in the hands of the application').toBeLessThanOrEqual(5)
        return effects
      }
      const answer = (size: number) => {
        const next = asked.shift()
        if (next === undefined) return
        const after = next.after ?? 0
        run(sync.paged(next, page(entries(after + 1, Math.min(head, after + size)), head), now))
      }
      const take = () => {
        if (taken >= handed.length) return
        taken += 1
        run(sync.handed('c', now))
      }
      const reconnect = (size: number) => {
        sync.disconnected()
        const resume = sync.begin(me, 1)
        const cursor = resume.fields.cursors[0]?.seq
        const missing = head - (cursor ?? 0)
        const verdict =
          missing > size
            ? { conversation: 'c', verdict: 'behind' as const, head, from: 1 }
            : { conversation: 'c', verdict: 'replayed' as const, head, entries: entries((cursor ?? 0) + 1, head) }
        run(sync.resumed(resume, { epoch: 1, verdicts: missing > 0 ? [verdict] : [] }, now))
      }
      reconnect(5)
      for (const step of steps) {
        if (step.do === 'arrive') run(sync.entry(entry(Math.max(1, head - step.back)), now))
        else if (step.do === 'grow') head += step.count
        else if (step.do === 'answer') answer(step.size)
        else if (step.do === 'fail') {
          const next = asked.shift()
          if (next !== undefined) run(sync.pageFailed(next, { gone: false }, now))
        } else if (step.do === 'take') for (let count = 0; count < step.count; count++) take()
        else if (step.do === 'reconnect') reconnect(step.size)
        else if (step.do === 'heads') run(sync.heads(1, [{ conversation: 'c', head }], now))
        else now += step.ms
        run(sync.due(now))
      }
      run(sync.heads(1, [{ conversation: 'c', head }], now))
      for (let round = 0; round < 400 && handed.length < head; round++) {
        now += 100
        take()
        run(sync.due(now))
        answer(3)
      }
      expect(handed).toEqual(Array.from({ length: head }, (_, index) => index + 1))
    }),
    { numRuns: 500 },
  )
})
