import { expect, test } from 'vitest'
import type { HistoryRecord } from './history.ts'
import { checkLive, liveBounds } from './live-checker.ts'
import type { StoreDump } from './store-dump.ts'

/** When each thing happens in the right history, in milliseconds. */
const at = { greeted: 1_000, blocked: 5_000, removed: 10_000, revoked: 40_000, probed: 60_000, end: 80_000 }

/**
 * Ann and Bob in a crew of two nodes. Bob is removed with seq 4 and is in again from seq 7 on; one session of Ann is
 * revoked; she blocks Bob; in the end both nodes are tried.
 */
const dump: StoreDump = {
  entries: [],
  heads: [{ conversation: 'crew', head: 9 }],
  cursors: [],
  memberships: [
    { conversation: 'crew', user: 'ann', from: 1 },
    { conversation: 'crew', user: 'bob', from: 2, to: 4 },
    { conversation: 'crew', user: 'bob', from: 7 },
  ],
}

const greeted = (socket: number, user: string, node: string, device = `${user}-${socket}`): HistoryRecord => ({
  kind: 'greeted',
  socket,
  device,
  user,
  session: `session-${socket}`,
  node,
  atMs: at.greeted,
})
const delivered = (socket: number, seq: number, atMs: number, how: 'live' | 'asked' = 'live'): HistoryRecord => ({
  kind: 'delivered',
  socket,
  conversation: 'crew',
  seq,
  how,
  atMs,
})
const typing = (socket: number, user: string, atMs: number): HistoryRecord => ({
  kind: 'typing',
  socket,
  conversation: 'crew',
  user,
  atMs,
})
const saw = (device: string, seq: number): HistoryRecord => ({
  kind: 'saw',
  device,
  conversation: 'crew',
  seq,
  event: 'message.new',
})
const told = (atMs: number): HistoryRecord => ({ kind: 'told', device: 'bob-2', conversation: 'crew', atMs })
const signalled = (user: string, fromMs: number): HistoryRecord => ({
  kind: 'signalled',
  user,
  event: 'block.changed',
  about: 'bob true',
  fromMs,
  atMs: fromMs + 100,
})
const signal = (socket: number, atMs: number, event = 'block.changed', about = 'bob true'): HistoryRecord => ({
  kind: 'signal',
  socket,
  event,
  about: event === 'refresh' ? '' : about,
  atMs,
})
const away = (what: string, fromMs: number, toMs: number): HistoryRecord => ({ kind: 'away', what, fromMs, toMs })
const acknowledged: HistoryRecord = {
  kind: 'acknowledged',
  user: 'bob',
  conversation: 'direct',
  clientId: 'late',
  seq: 1,
}

const right: readonly HistoryRecord[] = [
  greeted(1, 'ann', 'node-1'),
  greeted(2, 'bob', 'node-2'),
  greeted(3, 'ann', 'node-2'),
  delivered(1, 3, 2_000),
  delivered(2, 3, 2_000),
  saw('bob-2', 3),
  { kind: 'send', socket: 1, atMs: 2_000, answeredMs: 2_100 },
  { kind: 'blocked', conversation: 'direct', atMs: at.blocked },
  { kind: 'sent', user: 'bob', conversation: 'direct', clientId: 'late', text: 'let me in', atMs: at.blocked },
  { kind: 'failed', user: 'bob', conversation: 'direct', clientId: 'late', code: 'blocked' },
  { kind: 'unblocking', conversation: 'direct', atMs: 6_000 },
  signalled('ann', 7_000),
  signal(1, 7_100),
  signal(3, 7_050, 'refresh'),
  { kind: 'put-out', conversation: 'crew', user: 'bob', seq: 4, atMs: at.removed },
  delivered(2, 4, at.removed + 100),
  typing(2, 'ann', at.removed + 200),
  typing(1, 'bob', at.removed + 200),
  told(at.removed + 500),
  { kind: 'adding', conversation: 'crew', user: 'bob', atMs: 30_000 },
  { kind: 'joined', conversation: 'crew', user: 'bob', seq: 7 },
  typing(2, 'ann', 31_000),
  delivered(2, 7, 31_000),
  { kind: 'revoked', session: 'session-3', atMs: at.revoked },
  { kind: 'ended', socket: 3, atMs: at.revoked + 1_500 },
  { kind: 'probed', node: 'node-1', conversation: 'crew', seq: 8, atMs: at.probed },
  delivered(1, 8, at.probed + 100),
  delivered(2, 8, at.probed + 200),
  typing(1, 'bob', at.end),
]

const find = (records: readonly HistoryRecord[]) => checkLive(records, dump).map(one => one.promise)
const without = (record: Partial<HistoryRecord>) =>
  right.filter(one => !Object.entries(record).every(([name, value]) => one[name as keyof HistoryRecord] === value))

test('a history in which everything came in time has no violation', () => {
  expect(checkLive(right, dump)).toEqual([])
})

test('a history in which nothing was delivered, or nothing was tried at the end, proves nothing', () => {
  expect(find([])).toEqual(['sanity'])
  expect(find(without({ kind: 'probed' }))).toEqual(['sanity'])
})

test.each([
  ['after a removal', delivered(2, 5, at.removed + 100)],
  ['after a removal, because it was asked for', delivered(2, 5, at.removed + 100, 'asked')],
  ['from before somebody joined', delivered(2, 1, 2_000)],
  ['from between two memberships, though they are in by now', delivered(2, 6, 31_000)],
])('an entry %s is found', (_, record) => {
  expect(find([...right, record])).toEqual(['P8'])
})

test('what was said while somebody was out may be shown to them once they are being added again, and not before', () => {
  const memberships = dump.memberships.map(one => (one.from === 7 ? { ...one, from: 5, joined: 7 } : one))
  const violations = (seq: number, atMs: number) =>
    checkLive([...right, delivered(2, seq, atMs)], { ...dump, memberships }).map(one => one.promise)
  expect(violations(5, 31_000)).toEqual([])
  expect(violations(5, at.removed + 100)).toEqual(['P8'])
  expect(violations(1, 31_000)).toEqual(['P8'])
})

test('a frame that comes before the hello of its socket is found', () => {
  const early = { kind: 'early', device: 'ann-9', node: 'node-1', event: 'message.new', atMs: 900 } as const
  expect(find([...right, early])).toEqual(['P5'])
  expect(find([...right, early, away('former node-1', 0, 1_000)])).toEqual([])
})

test('what a node of a former version delivers is its own affair', () => {
  const leak = delivered(2, 5, at.removed + 100)
  expect(find([...right, leak, away('former node-2', at.removed, at.removed + 1_000)])).toEqual([])
  expect(find([...right, leak, away('former node-1', at.removed, at.removed + 1_000)])).toEqual(['P8'])
})

const toldLate = (ms: number, ...more: HistoryRecord[]) => [
  ...without({ kind: 'told' }),
  told(at.removed + ms),
  ...more,
]
const toldMsMax = liveBounds.toldMs + liveBounds.noiseMs

test('a removal that is not told, or told late, is found', () => {
  expect(find(without({ kind: 'told' }))).toEqual(['P6'])
  expect(find(toldLate(toldMsMax + 1))).toEqual(['P6'])
  expect(find(toldLate(toldMsMax))).toEqual([])
})

test('time does not pass while the node cannot know, and none other keeps it from that', () => {
  const late = toldMsMax + 3_000
  const awayFor = (what: string, ms: number) => away(what, at.removed, at.removed + ms)
  expect(find(toldLate(late, awayFor('postgres', 1_000)))).toEqual([])
  expect(find(toldLate(late, awayFor('postgres of node-2', 1_000)))).toEqual([])
  expect(find(toldLate(late, awayFor('node-2', 1_000), awayFor('node-2', 500)))).toEqual([])
  expect(find(toldLate(late, awayFor('postgres', 100)))).toEqual(['P6'])
  expect(find(toldLate(late, awayFor('redis', 10_000)))).toEqual(['P6'])
  expect(find(toldLate(late, awayFor('node-1', 10_000)))).toEqual(['P6'])
})

test('a device that knows nothing of the conversation, is gone, or whose person is back need not be told', () => {
  const untold = without({ kind: 'told' })
  expect(find(untold.filter(one => one.kind !== 'saw'))).toEqual([])
  expect(
    find([...untold.filter(one => !('atMs' in one) || one.atMs < 11_000), { kind: 'ended', socket: 2, atMs: 11_000 }]),
  ).toEqual(['sanity'])
  const soon: HistoryRecord = { kind: 'adding', conversation: 'crew', user: 'bob', atMs: 12_000 }
  expect(find(untold.map(one => (one.kind === 'adding' ? soon : one)))).toEqual([])
})

test('a signal that one of the sockets of its person does not get, nor a refresh after it, is found', () => {
  const lost = without({ kind: 'signal', socket: 1 })
  const late = 7_100 + liveBounds.signalMs + liveBounds.noiseMs + 1
  expect(find(lost)).toEqual(['P6'])
  expect(find(without({ kind: 'signal' }))).toEqual(['P6', 'P6'])
  expect(find([...lost, signal(1, 6_999)])).toEqual(['P6'])
  expect(find([...lost, signal(1, 6_999, 'refresh')])).toEqual(['P6'])
  expect(find([...lost, signal(1, 7_100, 'block.changed', 'bob false')])).toEqual(['P6'])
  expect(find([...lost, signal(1, 7_100, 'contact.removed')])).toEqual(['P6'])
  expect(find([...lost, signal(2, 7_100)])).toEqual(['P6'])
  expect(find([...lost, signal(1, late)])).toEqual(['P6'])
  expect(find([...lost, signal(1, late - 1)])).toEqual([])
  expect(find([...lost, signal(1, 8_000, 'refresh')])).toEqual([])
})

test('a signal is owed to nobody who connected after it, or whose node is of a former version; no fault counts', () => {
  const lost = without({ kind: 'signal', socket: 1 })
  const late = 7_100 + liveBounds.signalMs + liveBounds.noiseMs + 2_000
  expect(find([...right, signalled('bob', 500)])).toEqual([])
  expect(find([...lost, away('former node-1', 6_000, 8_000)])).toEqual([])
  for (const what of ['redis', 'redis of node-1', 'redis of api', 'api', 'node-1', 'postgres of api'])
    expect(find([...lost, signal(1, late), away(what, 8_000, 10_000)])).toEqual([])
  for (const what of ['node-2', 'redis of node-2'])
    expect(find([...lost, signal(1, late), away(what, 8_000, 10_000)])).toEqual(['P6'])
})

test('typing that is heard by somebody who was removed, or of them, is found', () => {
  const late = at.removed + liveBounds.typingMs + liveBounds.noiseMs + 1
  expect(find([...right, typing(2, 'ann', late)])).toEqual(['P8'])
  expect(find([...right, typing(1, 'bob', late)])).toEqual(['P8'])
  expect(find([...right, typing(1, 'bob', late), away('node-2', at.removed, at.removed + 100)])).toEqual([])
  expect(find([...right, typing(1, 'bob', late), away('redis', at.removed, late)])).toEqual(['P8'])
})

test('an addition whose outcome nobody knows excuses what is heard soon after', () => {
  const late = typing(2, 'ann', at.removed + liveBounds.typingMs + liveBounds.noiseMs + 1)
  const unknown: HistoryRecord = { kind: 'adding', conversation: 'crew', user: 'bob', atMs: at.removed - 5_000 }
  expect(find([unknown, ...right, late])).toEqual([])
  expect(find([{ ...unknown, atMs: at.removed - liveBounds.lateCallMs - 1 }, ...right, late])).toEqual(['P8'])
})

test('a socket of a revoked session that stays open, or that is greeted later, is found', () => {
  const late = at.revoked + liveBounds.revokedMs + liveBounds.noiseMs + 1
  const ended = (socket: number, atMs: number): HistoryRecord => ({ kind: 'ended', socket, atMs })
  expect(find([...without({ kind: 'ended' }), ended(3, late)])).toEqual(['P8'])
  expect(find(without({ kind: 'ended', socket: 3 }))).toContain('P8')
  const again = { ...greeted(4, 'ann', 'node-1'), session: 'session-3', atMs: late } as HistoryRecord
  expect(find([...right, again, ended(4, late + 10)])).toEqual(['P8'])
})

test('a send that is acknowledged during a block is found', () => {
  const place = right.findIndex(one => one.kind === 'failed')
  expect(find([...right.slice(0, place), acknowledged, ...right.slice(place)])).toEqual(['P8'])
  expect(find([...right, acknowledged])).toEqual([])
})

test('a send that waits too long for an answer is found, whatever the store does', () => {
  const tookMs = liveBounds.sendMs + liveBounds.noiseMs + 1
  const slow: HistoryRecord = { kind: 'send', socket: 1, atMs: 2_000, answeredMs: 2_000 + tookMs }
  expect(find([...right, slow])).toEqual(['P11'])
  expect(find([...right, slow, away('postgres', 2_000, 20_000)])).toEqual(['P11'])
  expect(find([...right, slow, away('node-1', 2_000, 2_100)])).toEqual([])
  expect(find([...right, { kind: 'send', socket: 1, atMs: 2_000 }])).toEqual(['P11'])
})

test('an answer that blames the product is found', () => {
  const refused = { kind: 'refused', what: 'an addition', code: 'internal', atMs: 2_000 } as const
  expect(find([...right, refused])).toEqual(['P11'])
  expect(find([...right, { ...refused, code: 'unavailable' }])).toEqual([])
  expect(find(right.map(one => (one.kind === 'failed' ? { ...one, code: 'internal' } : one)))).toEqual(['P11'])
})

test('who does not get live what is sent when all is over is found', () => {
  const place = { kind: 'delivered', socket: 2, seq: 8 } as const
  expect(find(without(place))).toEqual(['P6'])
  expect(find([...without(place), delivered(2, 8, at.probed + 200, 'asked')])).toEqual(['P6'])
  expect(find([...without(place), delivered(2, 8, at.probed + liveBounds.probeMs + 1)])).toEqual(['P6'])
})
