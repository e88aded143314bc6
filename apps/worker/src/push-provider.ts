/**
 * What can bring a push to a device. `push-fcm.ts` and `push-web.ts` do it through the services of others; what is said
 * and how their answers are read is the same for both.
 */
import type { push } from '@flotilla/chat'
import { cutText } from '@flotilla/protocol'

export interface PushProvider {
  readonly name: push.Provider
  /** Where it is one service, the name that `circuitOf` gives it. */
  readonly circuit?: string
  /** What is well or ill together: all of FCM, one host of Web Push. */
  circuitOf(target: push.Target): string
  /** Never throws, never tries twice, and takes no longer than `sendMs`. */
  send(delivery: push.Delivery): Promise<push.Answer>
  close(): Promise<void>
}

export interface PushLimits {
  readonly sendMs: number
  /** How long a service keeps a push for a device that is off. */
  readonly ttlMs: number
  /** Of the deployment, for pushes that name nobody. */
  readonly publicName: string
}

/** Three senders and a group, each twice, must leave room for the rest within the 4 KB that the services carry. */
const nameMax = { graphemesMax: 60, lengthMax: 75, end: '…' }
const shortened = (name: string) => cutText(name, nameMax)

/** As many as are counted, and more. */
const countedMax = 100

/** What a device shows before its app has run. Who and how many, never what. */
export function wordsOf(content: push.PushContent, publicName: string): { title: string; body: string } {
  const { kind, count, names } = content
  if (kind === 'reminder') return { title: shortened(names?.group ?? publicName), body: 'Reminder of a message' }
  const [one, more] =
    kind === 'reply' ? ['new reply in a thread', 'new replies in a thread'] : ['new message', 'new messages']
  const many = count === 1 ? one : `${count >= countedMax ? `${countedMax}+` : count} ${more}`
  const capital = many.replace(/^n/, 'N')
  if (names === undefined) return { title: publicName, body: capital }
  const senders = names.senders.map(shortened)
  if (names.group === undefined) return { title: senders[0] ?? publicName, body: capital }
  return { title: shortened(names.group), body: senders.length === 0 ? capital : `${senders.join(', ')}: ${many}` }
}

/** For the app itself. All of it text: that is all that FCM carries. */
export function dataOf(content: push.PushContent): Record<string, string> {
  const { conversation, uptoSeq, kind, thread, count, badge, names } = content
  return {
    conversation,
    uptoSeq: String(uptoSeq),
    kind,
    ...(thread === undefined ? {} : { thread: String(thread) }),
    count: String(count),
    badge: String(badge),
    ...(names === undefined ? {} : { senders: JSON.stringify(names.senders.map(shortened)) }),
    ...(names?.group === undefined ? {} : { group: shortened(names.group) }),
  }
}

/** What came back over HTTP with a status that is no success. @param isGone whether it says that the token is dead */
export function answerOf(response: {
  readonly status: number
  readonly reason: string
  readonly retryAfter: unknown
  /** When it was sent, by the clock of the service. */
  readonly date: unknown
  readonly isGone: boolean
}): push.Answer {
  const { status, reason } = response
  if (response.isGone) return { answer: 'gone', status, reason }
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    const retryMs = retryAfterMs(response.retryAfter, response.date)
    return { answer: 'later', status, reason, ...(retryMs === undefined ? {} : { retryMs }) }
  }
  return status < 400 ? { answer: 'unclear', status, reason } : { answer: 'refused', status, reason }
}

/** Seconds, or a date; from that the other date of the same clock is taken. */
function retryAfterMs(header: unknown, date: unknown): number | undefined {
  if (typeof header !== 'string') return undefined
  const ms = /^\d{1,9}$/.test(header.trim()) ? Number(header) * 1_000 : Date.parse(header) - Date.parse(String(date))
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined
}

/** Errors after which it is sure that nothing was sent: there was no connection, or none that could be trusted. */
const neverSent =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|EMFILE|CERT_|ERR_TLS|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/

/** What an error of the network means. @param sent whether the connection stood and the request may have gone out */
export function answerOfError(error: unknown, sent: boolean): push.Answer {
  const { code, name } = error as { code?: unknown; name?: unknown }
  const reason = typeof code === 'string' ? code : typeof name === 'string' ? name : 'Error'
  return sent && !neverSent.test(reason) ? { answer: 'unclear', reason } : { answer: 'later', reason }
}
