import type { Entry } from '@flotilla/protocol'
import { expect, test } from 'vitest'
import { FoldedViews } from './folded-views.ts'

const place = { conversation: 'c', epoch: 1, by: 'ann' }
const posted = (seq: number): Entry => ({
  ...place,
  event: 'message.new',
  seq,
  at: seq,
  clientId: `c${seq}`,
  body: { text: `text ${seq}` },
})
const edited: Entry = {
  ...place,
  event: 'message.edited',
  seq: 3,
  at: 3,
  clientId: 'c3',
  target: 1,
  body: { text: 'other' },
}
const standing = [{ ...posted(1), body: { text: 'other' }, changedSeq: 3, editedAt: 3 } as Entry, posted(2), edited]

test('what was heard live is what is read, and a change that was missed is found', () => {
  const views = new FoldedViews('ann')
  for (const entry of [posted(1), posted(2)]) views.hear(entry)
  expect(views.differences('c', standing, 1)).toEqual([expect.stringContaining('shows at seq 1')])
  expect(views.differences('c', standing, 2)).toEqual([])
  views.hear(edited)
  expect(views.differences('c', standing, 1)).toEqual([])
  expect(views.differences('c', [posted(1)], 1)).toHaveLength(2)
})

test('a device answers for what it was told since it began', () => {
  const views = new FoldedViews('ann')
  views.hear(posted(1))
  views.forget('c')
  expect(views.differences('c', standing, 1)).toEqual([])
  views.hear(edited)
  expect(views.differences('c', standing, 1)).toEqual([])
})

test('what a device cannot know is no difference, and what it shows of it is', () => {
  const known = { replies: { seq: 2, count: 1, lastAt: 2, people: ['ann'], following: true, readSeq: 1, unread: 0 } }
  const untold = { poll: { seq: 1, counts: [0, 0], voters: 0, mine: [0] } }
  const reply = { ...posted(2), thread: 1 } as Entry
  const views = new FoldedViews('ann')
  for (const entry of [{ ...posted(1), forwarded: { at: 5 } } as Entry, reply]) views.hear(entry)
  const root = { ...posted(1), forwarded: { by: 'bob', at: 5 }, ...known, ...untold } as Entry
  expect(views.differences('c', [root, reply], 1)).toEqual([])
  for (const other of [
    { forwarded: { at: 6 } },
    { forwarded: undefined },
    { poll: { ...untold.poll, seq: 2, voters: 1 } },
    { replies: { ...known.replies, count: 2 } },
    { replies: { ...known.replies, lastAt: 3 } },
    { expiresAt: 9 },
  ])
    expect(views.differences('c', [{ ...root, ...other } as Entry, reply], 1)).toHaveLength(1)
  const timed = [{ ...root, expiresAt: 9 } as Entry, { ...reply, expiresAt: 9 } as Entry]
  expect(views.differences('c', timed, 1, { isReadByFormer: seq => seq === 1 })).toEqual([
    expect.stringContaining('shows at seq 2'),
  ])
})

test('one’s reaction that a lost signal told of is owed until the device was told to read it anew', () => {
  const views = new FoldedViews('ann')
  const counts = [{ emoji: '👍', count: 1 }]
  const told: Entry = {
    ...place,
    event: 'reaction.counted',
    seq: 3,
    at: 3,
    messages: [1, 2].map(target => ({ target, version: 1, counts })),
  }
  const reactions = { version: 1, counts, own: { version: 1, emojis: ['👍'] } }
  const read = [...[1, 2].map(seq => ({ ...posted(seq), reactions }) as Entry), told]
  views.hear(posted(1))
  views.refresh()
  for (const entry of [posted(2), told]) views.hear(entry)
  expect(views.differences('c', read, 1)).toEqual([expect.stringContaining('shows at seq 2')])
  const { own: _, ...others } = reactions
  views.hearReaction({
    event: 'reaction.stored',
    conversation: 'c',
    target: 2,
    version: 1,
    counts,
    own: ['👍'],
  })
  expect(views.differences('c', read, 1)).toEqual([])
  const withdrawn = { ...posted(2), reactions: others } as Entry
  expect(views.differences('c', [read[0]!, withdrawn, told], 1)).toHaveLength(1)
})
