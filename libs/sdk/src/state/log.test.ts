import { emptyConversation, type Entry, foldAll } from '@flotilla/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { heldMax, Log, type Page } from './log.ts'

const viewer = 'ann'
const place = (seq: number) => ({ conversation: 'c', epoch: 1, at: seq, by: 'bob', seq })

/** Of five entries one is an edit of the message before it, and one a reaction to it. */
function entryAt(seq: number): Entry {
  const change = { ...place(seq), clientId: `c${seq}`, target: seq - 1 }
  if (seq % 5 === 0) return { ...change, event: 'message.edited', body: { text: `edited by ${seq}` } }
  if (seq % 5 === 2 && seq > 2)
    return {
      ...change,
      target: seq - 3,
      event: 'message.reacted',
      emoji: '👍',
      on: true,
      version: seq,
      counts: [{ emoji: '👍', count: seq }],
      own: [],
    }
  return { ...place(seq), event: 'message.new', clientId: `c${seq}`, body: { text: `${seq}` } }
}
const range = (from: number, to: number) => Array.from({ length: Math.max(0, to - from + 1) }, (_, at) => from + at)

/** As the server answers: messages as they stand at its head. */
function pageOf(from: number, to: number, head: number): Page {
  const all = foldAll(emptyConversation, range(1, head).map(entryAt)).messages
  const entries = range(from, to).map(seq => {
    const entry = entryAt(seq)
    const { content, reactions } = all.get(seq) ?? {}
    if (entry.event !== 'message.new' || content === undefined) return entry
    const now = content.seq === seq ? {} : { changedSeq: content.seq, ...content.value }
    return { ...entry, ...now, ...(reactions === undefined ? {} : { reactions }) }
  })
  return { entries, span: { from, to }, epoch: 1, first: 1, head }
}

/** What somebody knows of these messages who has heard everything. */
function truth(seqs: readonly number[], head: number) {
  const { messages } = foldAll(emptyConversation, range(1, head).map(entryAt))
  return seqs.map(seq => ({ content: messages.get(seq)?.content?.value, reactions: messages.get(seq)?.reactions }))
}

type Step = { live: number } | { from: number; length: number; show: boolean }
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ live: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 100, max: 500 })) }),
  fc.record({ from: fc.integer({ min: 1, max: 1_200 }), length: fc.integer({ min: 0, max: 60 }), show: fc.boolean() }),
)

test('windows have no gap, join only where they meet, and say of each message what is true at the head', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 800 }), fc.array(step, { maxLength: 25 }), (start, steps) => {
      let head = start
      const log = new Log(viewer)
      log.page(pageOf(Math.max(1, head - 49), head, head), head)
      /** What was read or heard, by hand: the windows may hold less, never more. */
      const held = new Set(range(Math.max(1, head - 49), head))
      for (const one of steps) {
        if ('live' in one)
          for (let nth = 0; nth < one.live; nth++) {
            held.add(++head)
            log.live(entryAt(head))
          }
        else {
          const from = Math.min(one.from, head)
          const to = Math.min(head, from + one.length - 1)
          log.page(pageOf(from, to, head), from)
          for (const seq of range(from, to)) held.add(seq)
          if (one.show) log.shown = log.windowAt(from) ?? log.shown
        }
        void log.state
        const { windows } = log
        for (const [at, { from, to }] of windows.entries()) {
          expect(range(from, to).filter(seq => !held.has(seq))).toEqual([])
          // Two that meet are one.
          expect(from).toBeGreaterThan((windows[at - 1]?.to ?? -1) + 1)
          const seqs = range(from, to).filter(seq => entryAt(seq).event === 'message.new')
          expect(log.seqsIn({ from, to })).toEqual(seqs)
          expect(seqs.length).toBeLessThanOrEqual(heldMax)
          const { messages } = log.state
          const known = seqs.map(seq => ({
            content: messages.get(seq)?.content?.value,
            reactions: messages.get(seq)?.reactions,
          }))
          expect(known).toEqual(truth(seqs, head))
        }
        if (log.shown !== undefined) expect(windows).toContain(log.shown)
        // What happens now is always there; what was read far back may have cost the end.
        if ('live' in one) expect(windows.at(-1)?.to).toBe(head)
        expect(log.state.messages.size).toBeLessThan(6 * heldMax)
      }
    }),
    { numRuns: 40 },
  )
}, 60_000)

test('a live entry does not enter a window behind which others lie', () => {
  const log = new Log(viewer)
  log.page(pageOf(41, 90, 500), 90)
  log.shown = log.windowAt(90)
  for (const seq of [501, 502]) log.live(entryAt(seq))
  expect(log.shown).toEqual({ from: 41, to: 90 })
  expect(log.windows).toEqual([
    { from: 41, to: 90 },
    { from: 501, to: 502 },
  ])
  // The last one that lies between makes them one.
  log.page(pageOf(91, 499, 502), 91)
  expect(log.windows).toHaveLength(2)
  log.page(pageOf(500, 500, 502), 500)
  expect(log.windows).toHaveLength(1)
  expect(log.shown).toBe(log.windows[0])
})

test('what is hidden and cleared is gone, whatever is heard of it after', () => {
  const log = new Log(viewer)
  log.page(pageOf(1, 30, 30), 30)
  log.hide([19])
  log.clear(10)
  log.page(pageOf(1, 30, 30), 30)
  const seqs = log.seqsIn(log.windows[0]!)
  expect(seqs).not.toContain(19)
  log.clear(25)
  expect(log.seqsIn(log.windows[0]!)[0]).toBeGreaterThan(25)
})
