import { expect, test } from 'vitest'
import { readPush } from './pushed.ts'

const conversation = '0190c2a4-0000-7000-8000-000000000001'
const push = { title: 'Ann', body: 'New message', conversation, uptoSeq: '7', kind: 'direct', count: '1', badge: '3' }

test('a push is shown in the words that the server has sent, and leads to its conversation', () => {
  expect(readPush(JSON.stringify(push))).toEqual({
    title: 'Ann',
    body: 'New message',
    path: `/c/${conversation}`,
    tag: conversation,
    badge: 3,
  })
})

test.each([
  ['4', '?thread=4'],
  ['x&y', ''],
  ['-1', ''],
])('replies in thread %j lead to it', (thread, search) => {
  expect(readPush(JSON.stringify({ ...push, kind: 'reply', thread }))?.path).toBe(`/c/${conversation}${search}`)
})

test.each([
  ['7', '?message=7'],
  ['x', ''],
])('a reminder of message %j leads to it', (uptoSeq, search) => {
  expect(readPush(JSON.stringify({ ...push, kind: 'reminder', uptoSeq }))?.path).toBe(`/c/${conversation}${search}`)
})

test.each(['', 'nonsense', 'null', '7', '"text"', '[]', '{}', JSON.stringify({ ...push, title: 1 })])(
  'what is none shows nothing: %s',
  text => {
    expect(readPush(text)).toBeUndefined()
  },
)

test.each([
  ['//elsewhere.example/', '/c/%2F%2Felsewhere.example%2F'],
  ['../settings', '/c/..%2Fsettings'],
])('whoever names %s leads nowhere else', (named, path) => {
  expect(readPush(JSON.stringify({ ...push, conversation: named }))?.path).toBe(path)
})

test.each(['-1', '1.5', 'many', ''])('a badge of %j is none', badge => {
  expect(readPush(JSON.stringify({ ...push, badge }))?.badge).toBe(0)
})
