import { beforeEach, expect, test } from 'vitest'
import { openWire, type Wire } from './simulation/wire.testbed.ts'
import { type Typing, TypingNotices } from './typing.ts'

let wire: Wire
let changes: Typing[]
let typing: TypingNotices

beforeEach(() => {
  wire = openWire()
  changes = []
  const times = { typingRepeatMs: 3_000, typingRestMs: 5_000, typingFadeMs: 6_000 }
  typing = new TypingNotices({ ...wire, ...times, changed: change => changes.push(change) })
})

const ops = () => wire.said().map(said => said.op)
const heard = (event: 'typing.start' | 'typing.stop', user = 'bob') => typing.heard({ event, conversation: 'c', user })

test('keystrokes are told every three seconds, and their end once', async () => {
  for (let second = 0; second < 7; second++) {
    typing.type('c')
    await wire.clock.advance(1_000)
  }
  expect(ops()).toEqual(['typing.start', 'typing.start', 'typing.start'])
  await wire.clock.advance(5_000)
  expect(ops()).toEqual(['typing.stop'])
})

test('a message ends it without a word; the next keystroke is told at once', () => {
  typing.type('c')
  typing.sent('c')
  typing.type('c')
  typing.stop('c')
  typing.stop('c')
  expect(ops()).toEqual(['typing.start', 'typing.start', 'typing.stop'])
})

test("another's typing is told once, fades, ends, and ends with the connection", async () => {
  heard('typing.start')
  await wire.clock.advance(5_000)
  heard('typing.start')
  await wire.clock.advance(5_999)
  expect(changes).toEqual([{ conversation: 'c', user: 'bob', typing: true }])
  await wire.clock.advance(1)
  expect(changes.splice(0).at(-1)).toEqual({ conversation: 'c', user: 'bob', typing: false })
  heard('typing.start')
  heard('typing.stop')
  heard('typing.stop')
  heard('typing.start', 'zoe')
  typing.down()
  expect(changes.map(change => `${change.user} ${change.typing}`)).toEqual([
    'bob true',
    'bob false',
    'zoe true',
    'zoe false',
  ])
})

test('without a connection nothing is told and nothing breaks', async () => {
  wire.requests.close()
  typing.type('c')
  typing.down()
  await wire.clock.advance(10_000)
  expect(ops()).toEqual([])
})
