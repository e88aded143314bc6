/**
 * Push through Firebase Cloud Messaging (Android, iOS, browsers) by firebase-admin, which is loaded only where it is used:
 * it takes 83 ms and 65 MB. The library repeats by itself what failed, with pauses of up to a minute. A push that was
 * taken after all would then arrive twice, and what the service asks for would come too late: that is turned off, and the
 * agent ends a request when its time is over.
 */
import { randomUUID } from 'node:crypto'
import type { Duplex } from 'node:stream'
import type { push } from '@flotilla/chat'
import type { Credential, ServiceAccount } from 'firebase-admin/app'
import type { Message, Messaging } from 'firebase-admin/messaging'
import { answerOf, answerOfError, dataOf, type PushLimits, type PushProvider, wordsOf } from './push-provider.ts'
import { newTrip, type Trip, TripAgent, trips } from './trip-agent.ts'

export interface FcmOptions {
  readonly serviceAccount: ServiceAccount
  readonly limits: PushLimits
  /** What time it is, for when a push expires. */
  readonly clock: () => number
  /** Instead of what the service account gives, and of the way to Google; for tests. */
  readonly testbed?: { readonly credential: Credential; connect(): Duplex }
}

/** No option of the library says it, so it is said to the part that does it; the version is pinned. */
function repeatNothing(messaging: Messaging): void {
  const { retry } =
    (messaging as unknown as { messagingRequestHandler?: { httpClient?: { retry?: { maxRetries?: unknown } } } })
      .messagingRequestHandler?.httpClient ?? {}
  if (typeof retry?.maxRetries !== 'number')
    throw new Error('unable to use firebase-admin: this version does not let its repetitions be turned off')
  retry.maxRetries = 0
}

/** Large, and loaded only where it is used: whoever pushes nothing through FCM may leave it out. */
async function loadLibrary() {
  try {
    return { ...(await import('firebase-admin/app')), ...(await import('firebase-admin/messaging')) }
  } catch (cause) {
    throw new Error('unable to push through FCM: firebase-admin cannot be loaded. Run npm install firebase-admin', {
      cause,
    })
  }
}

export async function createFcm(options: FcmOptions): Promise<PushProvider> {
  const { limits, clock, testbed } = options
  const { cert, deleteApp, initializeApp, getMessaging } = await loadLibrary()
  const agent = new TripAgent(testbed?.connect)
  const { projectId } = options.serviceAccount
  const app = initializeApp(
    {
      credential: testbed?.credential ?? cert(options.serviceAccount),
      httpAgent: agent,
      ...(projectId === undefined ? {} : { projectId }),
    },
    randomUUID(),
  )
  const messaging = getMessaging(app)
  repeatNothing(messaging)

  /** The answer, or that there was none in time; then the connection ends, and the library with it. */
  async function send(message: Message, trip: Trip): Promise<push.Answer> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<push.Answer>(resolve => {
      timer = setTimeout(() => {
        trip.late = true
        trip.socket?.destroy()
        resolve(trip.sent ? { answer: 'unclear', reason: 'timeout' } : { answer: 'later', reason: 'timeout' })
      }, limits.sendMs)
    })
    const answer = trips
      .run(trip, async () => messaging.send(message))
      .then(
        (id): push.Answer => ({ answer: 'sent', id }),
        (error: unknown) => read(error, trip),
      )
    try {
      return await Promise.race([answer, late])
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    name: 'fcm',
    circuit: 'fcm',
    circuitOf: () => 'fcm',
    send: ({ target, content }) => send(toMessage(target, content, limits, clock()), newTrip()),
    async close() {
      await deleteApp(app)
      agent.destroy()
    },
  }
}

interface FcmError {
  readonly code?: string
  readonly cause?: unknown
  readonly httpResponse?: {
    readonly status: number
    readonly headers: Readonly<Record<string, unknown>>
    readonly data?: unknown
  }
}

/** A 404 that does not say UNREGISTERED is about a wrong project, and must cost nobody their device. */
function read(error: unknown, trip: Trip): push.Answer {
  const { code = 'unknown', cause, httpResponse } = error as FcmError
  if (httpResponse === undefined) {
    // Refused by the library itself, before there was a request.
    if (code.startsWith('messaging/')) return { answer: 'refused', reason: code }
    return answerOfError(cause ?? error, trip.sent)
  }
  const { status, headers, data } = httpResponse
  const reason = fcmCodeOf(data) ?? code
  return answerOf({
    status,
    reason,
    retryAfter: headers['retry-after'],
    date: headers['date'],
    isGone: reason === 'UNREGISTERED',
  })
}

/** `error.details[].errorCode` of an answer. */
function fcmCodeOf(data: unknown): string | undefined {
  const details = (data as { error?: { details?: unknown } } | undefined)?.error?.details
  if (!Array.isArray(details)) return undefined
  const found = details.find((one: { errorCode?: unknown }) => typeof one?.errorCode === 'string')
  return (found as { errorCode: string } | undefined)?.errorCode
}

/** What comes later about a conversation takes the place of what the device shows of it. */
function toMessage(target: push.Target, content: push.PushContent, limits: PushLimits, now: number): Message {
  const { conversation, badge } = content
  const notification = wordsOf(content, limits.publicName)
  const message = { token: target.token, notification, data: dataOf(content) }
  if (target.platform === 'ios')
    return {
      ...message,
      apns: {
        headers: {
          'apns-collapse-id': conversation,
          'apns-priority': '10',
          'apns-expiration': String(Math.floor((now + limits.ttlMs) / 1000)),
        },
        payload: { aps: { badge, threadId: conversation, sound: 'default' } },
      },
    }
  if (target.platform === 'web')
    return {
      ...message,
      webpush: {
        headers: {
          Topic: conversation.replaceAll('-', ''),
          TTL: String(Math.floor(limits.ttlMs / 1000)),
          Urgency: 'high',
        },
        notification: { tag: conversation },
      },
    }
  return {
    ...message,
    android: {
      collapseKey: conversation,
      priority: 'high',
      ttl: limits.ttlMs,
      notification: { tag: conversation, notificationCount: badge },
    },
  }
}
