import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkHistory, type Violation } from './history-checker.ts'
import { History, type HistoryRecord, type SeenEntry } from './history.ts'
import { playWorld, type Step, stepLists } from './history-model.ts'
import type { StoreDump } from './store-dump.ts'

type RecordOf<K extends HistoryRecord['kind']> = Extract<HistoryRecord, { kind: K }>
type Saw = RecordOf<'saw'>

/** A world that may be broken. */
class Draft {
  records: HistoryRecord[]
  dump: { -readonly [K in keyof StoreDump]: StoreDump[K][number][] }

  constructor(records: readonly HistoryRecord[], dump: StoreDump) {
    this.records = [...records]
    this.dump = {
      entries: [...dump.entries],
      heads: [...dump.heads],
      cursors: [...dump.cursors],
      memberships: [...dump.memberships],
    }
  }

  of<K extends HistoryRecord['kind']>(kind: K): RecordOf<K>[] {
    return this.records.filter(one => one.kind === kind) as RecordOf<K>[]
  }
  /** The steps of one device in one conversation. */
  steps(saw: Saw): HistoryRecord[] {
    return this.records.filter(
      one =>
        (one.kind === 'saw' || one.kind === 'resync') &&
        one.device === saw.device &&
        one.conversation === saw.conversation,
    )
  }
  replace(old: HistoryRecord, ...by: HistoryRecord[]): void {
    this.records.splice(this.records.indexOf(old), 1, ...by)
  }
  head(conversation: string): number {
    return this.dump.heads.find(one => one.conversation === conversation)?.head ?? 0
  }
  user(device: string): string {
    return this.of('opened').find(one => one.device === device)?.user ?? ''
  }
  endedConnected(device: string): boolean {
    return (
      this.records.findLast(one => 'device' in one && one.device === device && /connected/.test(one.kind))?.kind ===
      'connected'
    )
  }
  reconnected(device: string): boolean {
    return this.of('connected').filter(one => one.device === device).length > 1
  }
  isMember(conversation: string, user: string): boolean {
    return this.dump.memberships.some(
      one => one.conversation === conversation && one.user === user && one.to === undefined,
    )
  }
}

/** Breaks the draft in one way; `choose` picks where. Throws through fc.pre where nothing of the kind can be broken. */
type Plant = (draft: Draft, choose: <T>(list: readonly T[]) => T) => void

const always = { numRuns: 150 }
const faults = [stepLists, fc.noBias(fc.nat())] as const

function breakIt(plant: Plant, steps: readonly Step[], seed: number): { draft: Draft; found: Violation[] } {
  const world = playWorld(steps)
  const draft = new Draft(world.history.records, world.dump)
  plant(draft, list => {
    fc.pre(list.length > 0)
    return list[seed % list.length] as (typeof list)[number]
  })
  return { draft, found: checkHistory(draft.records, draft.dump) }
}

test('a history in which every promise was kept has no violation', () => {
  fc.assert(
    fc.property(stepLists, steps => {
      const { history, dump } = playWorld(steps)
      expect(checkHistory(history.records, dump)).toEqual([])
    }),
    { numRuns: 400 },
  )
})

test('an empty history proves nothing, nor does one without an answer or without a sight', () => {
  const { history, dump } = playWorld([])
  const without = (kind: string) => history.records.filter(one => one.kind !== kind)
  expect(checkHistory([], { entries: [], heads: [], cursors: [], memberships: [] })).toMatchObject([
    { promise: 'sanity' },
  ])
  expect(checkHistory(without('acknowledged'), dump)).toMatchObject([{ promise: 'sanity' }])
  expect(checkHistory(without('saw'), dump).map(one => one.promise)).toContain('sanity')
  expect(checkHistory(without('sent'), dump).map(one => one.promise)).toContain('sanity')
  expect(checkHistory(without('opened'), dump).map(one => one.promise)).toContain('sanity')
})

/** Moves everything from a seq on one place up, as if the number had been given out and never used. */
function burn(draft: Draft, conversation: string, at: number): void {
  const up = (seq: number) => (seq >= at ? seq + 1 : seq)
  draft.records = draft.records.map(one => {
    if (!('conversation' in one) || one.conversation !== conversation) return one
    if ('seq' in one) return { ...one, seq: up(one.seq) }
    return 'head' in one ? { ...one, head: up(one.head) } : one
  })
  const here = (one: { conversation: string }) => one.conversation === conversation
  draft.dump.entries = draft.dump.entries.map(one => (here(one) ? { ...one, seq: up(one.seq) } : one))
  draft.dump.heads = draft.dump.heads.map(one => (here(one) ? { ...one, head: up(one.head) } : one))
  draft.dump.cursors = draft.dump.cursors.map(one =>
    here(one) ? { ...one, delivered: up(one.delivered), read: up(one.read) } : one,
  )
  draft.dump.memberships = draft.dump.memberships.map(one =>
    here(one)
      ? {
          ...one,
          from: up(one.from),
          ...(one.joined === undefined ? {} : { joined: up(one.joined) }),
          ...(one.to === undefined ? {} : { to: up(one.to) }),
        }
      : one,
  )
}

/** Whether what is stored there says what was said there. */
function stands(draft: Draft, { conversation, seq }: { readonly conversation: string; readonly seq: number }): boolean {
  const row = draft.dump.entries.find(one => one.conversation === conversation && one.seq === seq)
  return row?.text !== undefined && row.changedSeq === undefined
}

/** Sights after which the same device saw something more, of the same stretch. */
function followed(draft: Draft): { saw: Saw; next: Saw }[] {
  return draft.of('saw').flatMap(saw => {
    const steps = draft.steps(saw)
    const next = steps[steps.indexOf(saw) + 1]
    return next?.kind === 'saw' ? [{ saw, next }] : []
  })
}

const plants: Record<string, { finds: Violation['promise']; plant: Plant }> = {
  'an acknowledged message that is nowhere': {
    finds: 'P1',
    plant(draft, choose) {
      const sent = choose(draft.of('sent'))
      const lost = { ...sent, clientId: 'lost' }
      draft.records.push(lost, { ...lost, kind: 'acknowledged', seq: draft.head(sent.conversation) + 1 })
    },
  },
  'an acknowledged message that is stored elsewhere': {
    finds: 'P1',
    plant(draft, choose) {
      const answers = draft.of('acknowledged')
      const once = answers.filter(one => answers.filter(other => other.clientId === one.clientId).length === 1)
      const answer = choose(once)
      draft.replace(answer, { ...answer, seq: answer.seq + 1 })
    },
  },
  'an acknowledged message with another text': {
    finds: 'P1',
    plant(draft, choose) {
      const answer = choose(draft.of('acknowledged').filter(one => stands(draft, one)))
      const sent = draft.of('sent').find(one => one.clientId === answer.clientId)!
      draft.replace(sent, { ...sent, text: 'what was really sent' })
    },
  },
  'a removal that was acknowledged and is not in the log': {
    finds: 'P1',
    plant(draft, choose) {
      const removed = choose(draft.of('removed'))
      draft.records.push({ ...removed, user: 'ann' })
    },
  },
  'two rows of one send': {
    finds: 'P2',
    plant(draft, choose) {
      const row = choose(draft.dump.entries.filter(one => one.event === 'message.new' && stands(draft, one)))
      const seq = draft.head(row.conversation) + 1
      draft.dump.entries.push({ ...row, seq })
      draft.dump.heads = draft.dump.heads.map(one =>
        one.conversation === row.conversation ? { ...one, head: seq } : one,
      )
      for (const { device, user } of draft.of('opened'))
        if (draft.endedConnected(device) && draft.isMember(row.conversation, user))
          draft.records.push({ kind: 'saw', device, ...row, seq })
    },
  },
  'two answers to one send': {
    finds: 'P2',
    plant(draft, choose) {
      const answer = choose(draft.of('acknowledged'))
      draft.records.push({ ...answer, seq: answer.seq + 1 })
    },
  },
  'a burnt seq': {
    finds: 'P3',
    plant(draft, choose) {
      const { conversation, head } = choose(draft.dump.heads)
      burn(draft, conversation, Math.ceil(head / 2))
    },
  },
  'a head beyond the last entry': {
    finds: 'P3',
    plant(draft, choose) {
      const head = choose(draft.dump.heads)
      draft.dump.heads[draft.dump.heads.indexOf(head)] = { ...head, head: head.head + 1 }
    },
  },
  'an entry below the first': {
    finds: 'P3',
    plant(draft, choose) {
      draft.dump.entries.push({ ...choose(draft.dump.entries), clientId: 'the other', seq: 0 })
    },
  },
  'an entry of a conversation that is none': {
    finds: 'P3',
    plant(draft, choose) {
      draft.dump.entries.push({ ...choose(draft.dump.entries), conversation: 'nowhere' })
    },
  },
  'one seq given twice': {
    finds: 'P3',
    plant(draft, choose) {
      draft.dump.entries.push({ ...choose(draft.dump.entries), clientId: 'the other' })
    },
  },
  'two devices that disagree about a seq': {
    finds: 'P3',
    plant(draft, choose) {
      const saw = choose(draft.of('saw').filter(one => one.event === 'message.new' && stands(draft, one)))
      draft.replace(saw, { ...saw, text: 'something else' })
    },
  },
  'a device that shows what was edited away': {
    finds: 'P3',
    plant(draft, choose) {
      const edited = draft.of('saw').filter(one => one.event === 'message.edited' && stands(draft, one))
      const saw = choose(edited.filter(one => draft.steps(one).some(step => 'seq' in step && step.seq === one.target)))
      const { text: _, ...outdated } = saw
      draft.replace(saw, outdated)
    },
  },
  'a sight of what was never committed': {
    finds: 'P3',
    plant(draft, choose) {
      const saw = choose(draft.of('saw'))
      draft.records.push({ ...saw, seq: draft.head(saw.conversation) + 1 })
    },
  },
  'an entry seen twice': {
    finds: 'P4',
    plant(draft, choose) {
      const saw = choose(draft.of('saw'))
      draft.replace(saw, saw, saw)
    },
  },
  'an entry seen again much later': {
    finds: 'P4',
    plant(draft, choose) {
      const device = choose(draft.of('saw')).device
      const calm = draft
        .of('saw')
        .filter(one => one.device === device && draft.steps(one).every(step => step.kind === 'saw'))
      draft.records.push(choose(calm))
    },
  },
  'two entries seen in the wrong order': {
    finds: 'P4',
    plant(draft, choose) {
      const { saw, next } = choose(followed(draft))
      const places = [draft.records.indexOf(saw), draft.records.indexOf(next)] as const
      draft.records[places[0]] = next
      draft.records[places[1]] = saw
    },
  },
  'a receipt that falls': {
    finds: 'P7',
    plant(draft, choose) {
      const receipt = choose(draft.of('receipt').filter(one => one.seq > 1))
      draft.records.push({ ...receipt, seq: receipt.seq - 1 })
    },
  },
  'a receipt beyond the head': {
    finds: 'P7',
    plant(draft, choose) {
      const receipt = choose(draft.of('receipt'))
      draft.records.push({ ...receipt, seq: draft.head(receipt.conversation) + 1 })
    },
  },
  'a receipt that the store does not hold': {
    finds: 'P7',
    plant(draft, choose) {
      const cursor = choose(
        draft.dump.cursors.filter(one => {
          const shown = draft
            .of('receipt')
            .findLast(other => other.user === one.user && other.conversation === one.conversation)
          const span = draft.dump.memberships.find(
            other => other.user === one.user && other.conversation === one.conversation && other.to === undefined,
          )
          return shown !== undefined && span !== undefined && shown.seq >= span.from
        }),
      )
      draft.dump.cursors[draft.dump.cursors.indexOf(cursor)] = { ...cursor, delivered: 0, read: 0 }
    },
  },
  'a cursor with read beyond delivered': {
    finds: 'P7',
    plant(draft, choose) {
      const cursor = choose(draft.dump.cursors)
      draft.dump.cursors[draft.dump.cursors.indexOf(cursor)] = { ...cursor, read: cursor.delivered + 1 }
    },
  },
  'an entry that reaches somebody who was removed': {
    finds: 'P8',
    plant(draft, choose) {
      const out = choose(
        draft.dump.memberships.filter(one => one.to !== undefined && !draft.isMember(one.conversation, one.user)),
      )
      const device = draft.of('opened').find(one => one.user === out.user)!.device
      const leaked = draft.dump.entries.find(
        one => one.conversation === out.conversation && one.seq === draft.head(out.conversation),
      )!
      draft.records.push({ kind: 'saw', device, ...leaked })
    },
  },
}

test.each(Object.entries(plants))('%s is found, and nothing else', (_, { finds, plant }) => {
  fc.assert(
    fc.property(...faults, (steps, seed) => {
      const { found } = breakIt(plant, steps, seed)
      expect(new Set(found.map(one => one.promise))).toEqual(new Set([finds]))
    }),
    always,
  )
})

/** Ways to lose entries on the way to a device that ended connected and believes that it has everything. */
const gaps: Record<string, Plant> = {
  'one entry in the middle'(draft, choose) {
    const { saw } = choose(
      followed(draft).filter(({ saw }) => {
        const steps = draft.steps(saw)
        const before = steps[steps.indexOf(saw) - 1]
        return before?.kind !== 'resync' && isPresent(draft, saw)
      }),
    )
    draft.replace(saw)
  },
  'the last entry'(draft, choose) {
    const last = choose(draft.of('saw').filter(saw => isPresent(draft, saw) && draft.steps(saw).at(-1) === saw))
    fc.pre(draft.steps(last).at(-2)?.kind !== 'resync')
    draft.replace(last)
  },
  'a whole conversation'(draft, choose) {
    const some = choose(draft.of('saw').filter(saw => isPresent(draft, saw)))
    for (const step of draft.steps(some)) draft.replace(step)
  },
}
const isPresent = (draft: Draft, saw: Saw) =>
  draft.endedConnected(saw.device) &&
  draft.dump.memberships.some(
    one =>
      one.conversation === saw.conversation &&
      one.user === draft.user(saw.device) &&
      one.to === undefined &&
      one.from <= saw.seq,
  )

test.each(Object.entries(gaps))('a silent gap is found: %s', (_, plant) => {
  const met = new Set<string>()
  fc.assert(
    fc.property(...faults, (steps, seed) => {
      let gone: Saw | undefined
      const { draft, found } = breakIt(
        (one, choose) => {
          const before = new Set(one.records)
          plant(one, choose)
          const after = new Set(one.records)
          gone = [...before].find(record => !after.has(record) && record.kind === 'saw') as Saw | undefined
        },
        steps,
        seed,
      )
      const expected = draft.reconnected(gone!.device) ? 'P5' : 'P6'
      met.add(expected)
      expect(found.map(one => one.promise)).toEqual([expected])
      expect(found[0]?.what).toContain(`device ${gone!.device} in ${gone!.conversation}`)
    }),
    always,
  )
  expect(met).toEqual(new Set(['P5', 'P6']))
})

/** One conversation of five messages, and a phone that may see them. */
function small(memberships: readonly { from: number; joined?: number; to?: number }[] = [{ from: 1 }]) {
  const stored = [1, 2, 3, 4, 5].map(seq => ({ seq, event: 'message.new', clientId: `c${seq}`, text: `t${seq}` }))
  const dump: StoreDump = {
    entries: stored.map(one => ({ ...one, conversation: 'crew', sender: 'ann' })),
    heads: [{ conversation: 'crew', head: 5 }],
    cursors: [],
    memberships: memberships.map(one => ({ ...one, conversation: 'crew', user: 'bob' })),
  }
  const history = new History()
  history.sent({ user: 'ann', conversation: 'crew', clientId: 'c1', text: 't1' })
  history.acknowledged('ann', 'crew', 'c1', 1)
  history.opened('phone', 'bob')
  history.connected('phone')
  const see = (...seqs: number[]) => {
    for (const seq of seqs)
      history.saw('phone', {
        conversation: 'crew',
        seq,
        event: 'message.new',
        clientId: `c${seq}`,
        body: { text: `t${seq}` },
      })
  }
  return { history, see, check: () => checkHistory(history.records, dump) }
}
const gap = (which: string) => [{ promise: 'P6', what: expect.stringContaining(`seqs ${which} `) as string }]

test('a gap is none when the device was told to resync, and only as far as it was told', () => {
  const silent = small()
  silent.see(1, 4, 5)
  expect(silent.check()).toMatchObject(gap('2-3'))
  const told = small()
  told.see(1)
  told.history.resync('phone', 'crew', 4)
  expect(told.check()).toMatchObject(gap('4-5'))
  told.see(5)
  expect(told.check()).toMatchObject(gap('4'))
  const whole = small()
  whole.see(1)
  whole.history.resync('phone', 'crew', 4)
  whole.see(3, 4, 5)
  expect(whole.check()).toEqual([])
  const before = small()
  before.see(1, 3)
  before.history.resync('phone', 'crew', 4)
  before.see(4, 5)
  expect(before.check()).toMatchObject(gap('2'))
})

test('what lies before a device began, and a membership that ended before it came, is not owed', () => {
  const later = small()
  later.history.starts('phone', 'crew', 3)
  expect(later.check()).toMatchObject([{ promise: 'sanity' }, ...gap('4-5')])
  later.see(4, 5)
  expect(later.check()).toEqual([])
  const back = small([{ from: 1, to: 2 }, { from: 4 }])
  back.see(4, 5)
  expect(back.check()).toEqual([])
  const witness = small([{ from: 1, to: 3 }])
  witness.see(1, 2)
  expect(witness.check()).toMatchObject(gap('3'))
  witness.history.left('phone', 'crew')
  expect(witness.check()).toEqual([])
})

test('who is added and sees what was said before is owed that, and may get it once more after it was told to be out', () => {
  const twice = (seq: number) => ({ promise: 'P4', what: expect.stringContaining(`saw seq ${seq} twice`) as string })
  const newcomer = [{ from: 2, joined: 4 }]
  const whole = small(newcomer)
  whole.see(2, 3, 4, 5)
  whole.history.joined({ conversation: 'crew', user: 'bob', seq: 4 })
  expect(whole.check()).toEqual([])
  const late = small(newcomer)
  late.see(4, 5)
  expect(late.check()).toMatchObject(gap('2-3'))
  const early = small(newcomer)
  early.see(1, 2, 3, 4, 5)
  expect(early.check()).toMatchObject([{ promise: 'P8' }])

  const again = [
    { from: 1, to: 3 },
    { from: 2, joined: 4 },
  ]
  const back = small(again)
  back.see(1, 2, 3)
  back.history.left('phone', 'crew')
  back.see(2, 3, 4, 5)
  expect(back.check()).toEqual([])
  // Their first time did not show what the second one shows.
  const more = small([
    { from: 2, to: 3 },
    { from: 1, joined: 4 },
  ])
  more.see(2, 3)
  more.history.left('phone', 'crew')
  more.see(1, 2, 3, 4, 5)
  expect(more.check()).toEqual([])
  // Nor does it owe that to a device that was away from then on; one that has begun with it is owed what lies between.
  const away = small([
    { from: 2, to: 3 },
    { from: 1, joined: 4 },
  ])
  away.see(2, 3)
  away.history.disconnected('phone')
  expect(away.check()).toEqual([])
  const cut = small([
    { from: 2, to: 3 },
    { from: 1, joined: 4 },
  ])
  cut.see(2, 3)
  cut.history.left('phone', 'crew')
  cut.see(1, 3)
  cut.history.disconnected('phone')
  expect(cut.check()).toMatchObject(gap('2'))
  // Of three the second shows nothing of before, and is not taken for the third.
  const thrice = small([
    { from: 1, to: 2 },
    { from: 3, to: 4 },
    { from: 1, joined: 5 },
  ])
  thrice.see(1, 2)
  thrice.history.left('phone', 'crew')
  thrice.see(3, 4)
  thrice.history.left('phone', 'crew')
  thrice.see(1, 2, 3, 4, 5)
  expect(thrice.check()).toEqual([])
  const cutAtFirst = small([{ from: 1, joined: 5 }])
  cutAtFirst.see(1, 3)
  cutAtFirst.history.disconnected('phone')
  expect(cutAtFirst.check()).toMatchObject(gap('2'))
  const untold = small(again)
  untold.see(1, 2, 3, 2, 3, 4, 5)
  expect(untold.check()).toMatchObject([twice(2), twice(3)])
  const fresh = small(again)
  fresh.see(2, 3, 4, 5)
  expect(fresh.check()).toEqual([])
  const holed = small(again)
  holed.see(1, 2, 3)
  holed.history.left('phone', 'crew')
  holed.see(2, 4, 5)
  expect(holed.check()).toMatchObject(gap('3'))

  // Told twice that they left, and there was one removal: what came between was theirs already.
  const toldTwice = small([{ from: 1, to: 3 }, { from: 4 }])
  toldTwice.see(1, 2, 3)
  toldTwice.history.left('phone', 'crew')
  toldTwice.see(4)
  toldTwice.history.left('phone', 'crew')
  toldTwice.see(4, 5)
  expect(toldTwice.check()).toMatchObject([twice(4)])
})

test('a message that has expired may have been seen before, and says nothing once that is known', () => {
  const place = { conversation: 'crew', sender: 'ann' }
  const gone = { text: 'This message has expired.' }
  const dump: StoreDump = {
    entries: [
      { ...place, seq: 1, event: 'message.new', clientId: 'c1', changedSeq: 2, ...gone },
      { ...place, seq: 2, event: 'messages.expired', clientId: 'c2', ...gone },
    ],
    heads: [{ conversation: 'crew', head: 2 }],
    cursors: [],
    memberships: [{ conversation: 'crew', user: 'bob', from: 1 }],
  }
  const check = (targets: readonly number[]) => {
    const history = new History()
    const { conversation } = place
    history.sent({ user: 'ann', conversation, clientId: 'c1', text: 'hello' })
    history.acknowledged('ann', conversation, 'c1', 1)
    history.opened('phone', 'bob')
    history.connected('phone')
    history.saw('phone', { conversation, seq: 1, event: 'message.new', clientId: 'c1', body: { text: 'hello' } })
    history.saw('phone', { conversation, seq: 2, event: 'messages.expired', targets, body: gone })
    return checkHistory(history.records, dump).map(({ promise }) => promise)
  }
  expect(check([1])).toEqual([])
  expect(check([])).toEqual(['P3'])
})

test('a deleted message may have been seen before and after, and the place of a hidden one stands for it and its edits', () => {
  const place = { conversation: 'crew', sender: 'ann' }
  const gone = { text: 'This message was deleted.' }
  const dump: StoreDump = {
    entries: [
      { ...place, seq: 1, event: 'message.new', clientId: 'c1', changedSeq: 4, ...gone },
      { ...place, seq: 2, event: 'message.new', clientId: 'c2', changedSeq: 5, text: 'other' },
      { ...place, seq: 3, event: 'message.edited', clientId: 'c3', target: 1 },
      { ...place, seq: 4, event: 'message.deleted', clientId: 'c4', target: 1, ...gone },
      { ...place, seq: 5, event: 'message.edited', clientId: 'c5', target: 2, text: 'other' },
    ],
    heads: [{ conversation: 'crew', head: 5 }],
    cursors: [],
    memberships: [{ conversation: 'crew', user: 'bob', from: 1 }],
  }
  const { conversation } = place
  const deleted = { conversation, seq: 4, event: 'message.deleted', clientId: 'c4', target: 1, body: gone }
  const edited = { conversation, seq: 5, event: 'message.edited', clientId: 'c5', target: 2 }
  const before = [
    { conversation, seq: 1, event: 'message.new', clientId: 'c1', body: { text: 'hello' } },
    { conversation, seq: 2, event: 'message.new', clientId: 'c2', body: { text: 'bye' } },
    { conversation, seq: 3, event: 'message.edited', clientId: 'c3', target: 1, body: { text: 'hello there' } },
    deleted,
    { ...edited, body: { text: 'other' } },
  ]
  const after = [
    { conversation, seq: 1, event: 'message.new', clientId: 'c1', changedSeq: 4, body: gone },
    { conversation, seq: 2, event: 'message.hidden' },
    { conversation, seq: 3, event: 'message.edited', clientId: 'c3', target: 1 },
    deleted,
    edited,
  ]
  const check = (seen: readonly SeenEntry[]) => {
    const history = new History()
    history.sent({ user: 'ann', conversation, clientId: 'c1', text: 'hello' })
    history.acknowledged('ann', conversation, 'c1', 1)
    history.opened('phone', 'bob')
    history.connected('phone')
    for (const entry of seen) history.saw('phone', entry)
    return checkHistory(history.records, dump)
  }
  expect(check(before)).toEqual([])
  expect(check(after)).toEqual([])
  expect(check([...before.slice(0, 3), { ...deleted, body: { text: 'not gone' } }, before[4]!])).not.toEqual([])
  // Without the place nothing says why an edit has no words.
  expect(check([...before.slice(0, 4), edited])).not.toEqual([])
})
