import { connect } from 'node:net'
import type { push } from '@flotilla/chat'
import { freePort } from '@flotilla/testing'
import { afterEach, expect, test } from 'vitest'
import { fakeCredential, type FcmReaction, type FcmRequest, type FcmTestbed, startFcm } from './fcm.testbed.ts'
import { createFcm } from './push-fcm.ts'
import type { PushProvider } from './push-provider.ts'

const conversation = '0b7f2f4e-9d38-4d8f-8a53-6b5d1f9d0c01'
/** Only who waits in vain has little time: any other would be late on a machine that stands still. */
const hangMs = 300
const limits = { sendMs: 30_000, ttlMs: 86_400_000, publicName: 'Harbour' }
const undo: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const run of undo.splice(0).toReversed()) await run()
})

const content = {
  conversation,
  uptoSeq: 7,
  kind: 'message',
  count: 2,
  badge: 5,
  names: { senders: ['Alice'] },
} as const
const deliver = (platform = 'android', more: Partial<push.PushContent> = {}): push.Delivery => ({
  id: 'd',
  attempt: 1,
  provider: 'fcm',
  messageAt: 0,
  target: { device: 'x', platform, token: 'token-1', tokenHash: Buffer.alloc(0), webKeys: null },
  content: { ...content, ...more },
})

async function open(
  react: (request: FcmRequest) => FcmReaction,
  sendMs: number = limits.sendMs,
): Promise<{ fcm: FcmTestbed; provider: PushProvider }> {
  const fcm = await startFcm(react)
  undo.push(() => fcm.close())
  return { fcm, provider: await openProvider({ credential: fakeCredential, connect: () => fcm.connect() }, sendMs) }
}

async function openProvider(
  testbed: NonNullable<Parameters<typeof createFcm>[0]['testbed']>,
  sendMs: number = limits.sendMs,
): Promise<PushProvider> {
  const provider = await createFcm({
    serviceAccount: { projectId: 'test' },
    limits: { ...limits, sendMs },
    clock: Date.now,
    testbed,
  })
  undo.push(() => provider.close())
  return provider
}

test('a push names its conversation for collapsing, on each platform in its own way', async () => {
  const { fcm, provider } = await open(() => 'take')
  for (const platform of ['android', 'ios', 'web'])
    expect(await provider.send(deliver(platform))).toEqual({
      answer: 'sent',
      id: expect.stringMatching(/^projects\/test\/messages\//),
    })
  const [android, ios, web] = fcm.taken.map(one => one.message)
  expect(android).toEqual({
    token: 'token-1',
    notification: { title: 'Alice', body: '2 new messages' },
    data: { conversation, uptoSeq: '7', kind: 'message', count: '2', badge: '5', senders: '["Alice"]' },
    android: {
      collapse_key: conversation,
      priority: 'high',
      ttl: '86400s',
      notification: { tag: conversation, notification_count: 5 },
    },
  })
  expect(ios!.apns).toMatchObject({
    headers: { 'apns-collapse-id': conversation },
    payload: { aps: { badge: 5, 'thread-id': conversation } },
  })
  expect(web!.webpush).toMatchObject({
    headers: { Topic: conversation.replaceAll('-', '') },
    notification: { tag: conversation },
  })
  expect(fcm.taken[0]!.authorization).toBe('Bearer fake')
})

test('a group is named with who wrote; without names nobody is', async () => {
  const { fcm, provider } = await open(() => 'take')
  await provider.send(deliver('android', { count: 1, names: { senders: ['Alice', 'Bob'], group: 'Crew' } }))
  const { names: _, ...nameless } = deliver().content
  await provider.send({ ...deliver(), content: { ...nameless, count: 100 } })
  const [group, bare] = fcm.taken.map(one => one.message)
  expect(group!.notification).toEqual({ title: 'Crew', body: 'Alice, Bob: new message' })
  expect(bare!.notification).toEqual({ title: 'Harbour', body: '100+ new messages' })
  expect(JSON.stringify(bare)).not.toContain('Alice')
})

test.each<[string, FcmReaction, push.Answer]>([
  ['a dead token', { status: 404, code: 'UNREGISTERED' }, { answer: 'gone', status: 404, reason: 'UNREGISTERED' }],
  [
    'a project that does not exist, which must cost nobody their device',
    { status: 404, code: 'NOT_FOUND', html: true },
    { answer: 'refused', status: 404, reason: expect.any(String) },
  ],
  [
    'a request that is wrong',
    { status: 400, code: 'INVALID_ARGUMENT' },
    { answer: 'refused', status: 400, reason: 'INVALID_ARGUMENT' },
  ],
  ['an inner fault', { status: 500, code: 'INTERNAL' }, { answer: 'later', status: 500, reason: 'INTERNAL' }],
  [
    'too much, in seconds',
    { status: 429, code: 'QUOTA_EXCEEDED', retryAfter: '120' },
    { answer: 'later', status: 429, reason: 'QUOTA_EXCEEDED', retryMs: 120_000 },
  ],
  [
    'being away, which the library would wait for by itself',
    { status: 503, code: 'UNAVAILABLE', retryAfter: '30' },
    { answer: 'later', status: 503, reason: 'UNAVAILABLE', retryMs: 30_000 },
  ],
  ['no answer', 'hang', { answer: 'unclear', reason: 'timeout' }],
  ['a connection that is cut', 'take and cut', { answer: 'unclear', reason: 'ECONNRESET' }],
])('%s is told as what it is, after one request', async (_what, reaction, answer) => {
  const { fcm, provider } = await open(() => reaction, reaction === 'hang' ? hangMs : limits.sendMs)
  expect(await provider.send(deliver())).toEqual(answer)
  expect(fcm.requests).toHaveLength(1)
})

test.each([0, 3_600_000, -3_600_000])(
  'a date in Retry-After counts by the clock of the service, %i ms ahead of ours',
  async aheadMs => {
    const now = Date.now() + aheadMs
    const at = (ms: number) => new Date(now + ms).toUTCString()
    const [date, retryAfter] = [at(0), at(60_000)]
    const { provider } = await open(() => ({ status: 503, code: 'UNAVAILABLE', date, retryAfter }))
    const answer = await provider.send(deliver())
    expect(answer).toMatchObject({ answer: 'later', retryMs: expect.any(Number) })
    expect('retryMs' in answer && Math.abs(answer.retryMs! - 60_000)).toBeLessThanOrEqual(1_000)
  },
)

test('what never went out may be tried again at once', async () => {
  const port = await freePort()
  const provider = await openProvider({ credential: fakeCredential, connect: () => connect(port, '127.0.0.1') })
  expect(await provider.send(deliver())).toEqual({ answer: 'later', reason: 'ECONNREFUSED' })
})

test('a token of access that comes too late lets nothing out any more', async () => {
  const fcm = await startFcm(() => 'take')
  undo.push(() => fcm.close())
  const { promise, resolve } = Promise.withResolvers<{ access_token: string; expires_in: number }>()
  const provider = await openProvider(
    { credential: { getAccessToken: () => promise }, connect: () => fcm.connect() },
    hangMs,
  )
  expect(await provider.send(deliver())).toEqual({ answer: 'later', reason: 'timeout' })
  resolve({ access_token: 'late', expires_in: 3_600 })
  await new Promise(resolve => setTimeout(resolve, 50))
  expect(fcm.requests).toEqual([])
})

test('many at once over connections that are used again', async () => {
  const { fcm, provider } = await open(() => 'take')
  for (let round = 0; round < 3; round++) {
    const answers = await Promise.all(Array.from({ length: 50 }, () => provider.send(deliver())))
    expect(answers.every(one => one.answer === 'sent')).toBe(true)
  }
  expect(fcm.taken).toHaveLength(150)
  expect(fcm.openMax).toBeLessThanOrEqual(50)
})
