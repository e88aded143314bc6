/**
 * Push to browsers (RFC 8030, 8291, 8292). web-push encrypts and signs; the request itself is made here, because the
 * library's own has no limit on time or on the length of an answer.
 */
import { createECDH } from 'node:crypto'
import { request } from 'node:https'
import type { Duplex } from 'node:stream'
import type { push } from '@flotilla/chat'
import webpush from 'web-push'
import { answerOf, answerOfError, dataOf, type PushLimits, type PushProvider, wordsOf } from './push-provider.ts'
import { newTrip, TripAgent, trips } from './trip-agent.ts'

export interface WebPushOptions {
  readonly vapid: { readonly publicKey: string; readonly privateKey: string; readonly subject: string }
  readonly limits: PushLimits
  /** Instead of TLS to the host of the endpoint; for tests. */
  readonly connect?: () => Duplex
}

function partnerOf(privateKey: string): string {
  const curve = createECDH('prime256v1')
  curve.setPrivateKey(privateKey, 'base64url')
  return curve.getPublicKey('base64url')
}

export function createWebPush(options: WebPushOptions): PushProvider {
  const { limits, vapid } = options
  // Keys that do not fit fail here, at the start, and not at every push.
  webpush.setVapidDetails(vapid.subject, vapid.publicKey, vapid.privateKey)
  if (partnerOf(vapid.privateKey) !== vapid.publicKey)
    throw new Error('unable to start: VAPID_PUBLIC_KEY does not match VAPID_PRIVATE_KEY')
  const agent = new TripAgent(options.connect)
  return {
    name: 'webpush',
    circuitOf: target => new URL(target.token).host,
    async send({ target, content }) {
      let details: webpush.RequestDetails
      try {
        details = webpush.generateRequestDetails(
          { endpoint: target.token, keys: target.webKeys as webpush.PushSubscription['keys'] },
          JSON.stringify({ ...wordsOf(content, limits.publicName), ...dataOf(content) }),
          {
            vapidDetails: vapid,
            TTL: Math.floor(limits.ttlMs / 1000),
            urgency: 'high',
            // 32 characters at the most: the conversation's id without dashes.
            topic: content.conversation.replaceAll('-', ''),
          },
        )
      } catch {
        // The text of the error may hold the subscription.
        return { answer: 'refused', reason: 'subscription_invalid' }
      }
      return post(details)
    },
    close() {
      agent.destroy()
      return Promise.resolve()
    },
  }

  function post(details: webpush.RequestDetails): Promise<push.Answer> {
    return new Promise(resolve => {
      const trip = newTrip()
      const signal = AbortSignal.timeout(limits.sendMs)
      const outgoing = trips.run(trip, () =>
        request(details.endpoint, { method: 'POST', headers: details.headers, agent, signal }),
      )
      outgoing.on('error', error => resolve(answerOfError(signal.aborted ? { code: 'timeout' } : error, trip.sent)))
      outgoing.on('response', response => {
        const status = response.statusCode ?? 0
        // The status says it all.
        response.on('error', () => {}).resume()
        resolve(
          status >= 200 && status < 300
            ? { answer: 'sent' }
            : answerOf({
                status,
                reason: `HTTP ${status}`,
                retryAfter: response.headers['retry-after'],
                date: response.headers.date,
                isGone: status === 404 || status === 410,
              }),
        )
      })
      outgoing.end(details.body)
    })
  }
}
