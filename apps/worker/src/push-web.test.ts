import type { push } from '@flotilla/chat'
import { afterEach, expect, test } from 'vitest'
import webpush from 'web-push'
import type { PushProvider } from './push-provider.ts'
import { createWebPush } from './push-web.ts'
import {
  makeSubscription,
  readVapid,
  startWebPushService,
  type WebPushReaction,
  type WebPushTestbed,
} from './web-push.testbed.ts'

const conversation = '0b7f2f4e-9d38-4d8f-8a53-6b5d1f9d0c01'
/** Only who waits in vain has little time: any other would be late on a machine that stands still. */
const hangMs = 300
const limits = { sendMs: 30_000, ttlMs: 60_000, publicName: 'Harbour' }
const vapid = { ...webpush.generateVAPIDKeys(), subject: 'mailto:operator@example.org' }
const browser = makeSubscription()
const undo: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const run of undo.splice(0).toReversed()) await run()
})

const deliver = (webKeys: unknown = browser.keys): push.Delivery => ({
  id: 'd',
  attempt: 1,
  provider: 'webpush',
  messageAt: 0,
  target: {
    device: 'x',
    platform: 'web',
    token: 'https://updates.push.services.mozilla.com/wpush/v2/abc',
    tokenHash: Buffer.alloc(0),
    webKeys,
  },
  content: { conversation, uptoSeq: 7, kind: 'message', count: 1, badge: 3, names: { senders: ['Alice'] } },
})

async function open(
  react: () => WebPushReaction | 'hang',
  sendMs: number = limits.sendMs,
): Promise<{ service: WebPushTestbed; provider: PushProvider }> {
  const service = await startWebPushService(react)
  const provider = createWebPush({ vapid, limits: { ...limits, sendMs }, connect: () => service.connect() })
  undo.push(
    () => service.close(),
    () => provider.close(),
  )
  return { service, provider }
}

test('only the browser can read it; it is signed for the service, and collapses by conversation', async () => {
  const { service, provider } = await open(() => ({ status: 201 }))
  expect(await provider.send(deliver())).toEqual({ answer: 'sent' })
  const [one] = service.arrived
  expect(one!.path).toBe('/wpush/v2/abc')
  expect(one!.body.toString('latin1')).not.toContain('Alice')
  expect(browser.read(one!.body)).toEqual({
    title: 'Alice',
    body: 'New message',
    conversation,
    uptoSeq: '7',
    kind: 'message',
    count: '1',
    badge: '3',
    senders: '["Alice"]',
  })
  expect(one!.headers).toMatchObject({ ttl: '60', urgency: 'high', topic: conversation.replaceAll('-', '') })
  expect(readVapid(one!.headers.authorization!, vapid.publicKey)).toMatchObject({
    aud: 'https://updates.push.services.mozilla.com',
    sub: vapid.subject,
  })
  expect(provider.circuitOf(deliver().target)).toBe('updates.push.services.mozilla.com')
})

test.each<[string, WebPushReaction | 'hang', push.Answer]>([
  ['a subscription that has ended', { status: 410 }, { answer: 'gone', status: 410, reason: 'HTTP 410' }],
  ['a subscription that never was', { status: 404 }, { answer: 'gone', status: 404, reason: 'HTTP 404' }],
  ['too large', { status: 413 }, { answer: 'refused', status: 413, reason: 'HTTP 413' }],
  ['keys that are not ours', { status: 403 }, { answer: 'refused', status: 403, reason: 'HTTP 403' }],
  ['elsewhere', { status: 302 }, { answer: 'unclear', status: 302, reason: 'HTTP 302' }],
  [
    'too much',
    { status: 429, retryAfter: '60' },
    { answer: 'later', status: 429, reason: 'HTTP 429', retryMs: 60_000 },
  ],
  ['an inner fault', { status: 500 }, { answer: 'later', status: 500, reason: 'HTTP 500' }],
  ['no answer', 'hang', { answer: 'unclear', reason: 'timeout' }],
])('%s is told as what it is', async (_what, reaction, answer) => {
  const { service, provider } = await open(() => reaction, reaction === 'hang' ? hangMs : limits.sendMs)
  expect(await provider.send(deliver())).toEqual(answer)
  expect(service.arrived).toHaveLength(1)
})

test('an answer without end costs neither time nor memory', async () => {
  const { provider } = await open(() => ({ status: 201, endless: true }))
  const startedAt = performance.now()
  expect(await provider.send(deliver())).toEqual({ answer: 'sent' })
  expect(performance.now() - startedAt).toBeLessThan(limits.sendMs)
  await provider.close()
})

test('a subscription that cannot be encrypted to is refused and not shown', async () => {
  const { service, provider } = await open(() => ({ status: 201 }))
  for (const keys of [null, {}, { p256dh: 'x', auth: 'y' }])
    expect(await provider.send(deliver(keys))).toEqual({ answer: 'refused', reason: 'subscription_invalid' })
  expect(service.arrived).toEqual([])
})

test('keys that do not fit are found at the start', () => {
  expect(() => createWebPush({ vapid: { ...vapid, privateKey: 'x' }, limits })).toThrow()
  const { publicKey } = webpush.generateVAPIDKeys()
  expect(() => createWebPush({ vapid: { ...vapid, publicKey }, limits })).toThrow(
    'unable to start: VAPID_PUBLIC_KEY does not match VAPID_PRIVATE_KEY',
  )
  expect(() => createWebPush({ vapid: { ...vapid, subject: 'me' }, limits })).toThrow()
})
