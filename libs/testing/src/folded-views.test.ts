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
