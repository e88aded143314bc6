/**
 * The one-time ticket that opens a socket: signed by the API, checked by a gateway without asking anybody. An HMAC, not
 * the asymmetric signature of the access token: a gateway checks one in 5 µs, so a reconnect storm costs no CPU. That it
 * is used once is the gateway's business (it remembers the id in Redis for as long as the ticket lives). Both go by the
 * clock of the store, and bear with one that differs by up to `clockSkewMsMax`.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

export interface Ticket {
  /** Random; what "once" is remembered by. */
  readonly id: string
  readonly user: string
  readonly session: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

/** A symmetric key by its id. The first of a set signs, all of them verify, so that keys can be rotated. */
export interface SecretKey {
  readonly id: string
  readonly key: Buffer
}

export const ticketLifeMs = 30_000

/**
 * How far the clocks of two processes may differ for what one signs and another checks: tickets and access tokens. All go
 * by the store's, so they differ by a round trip; more only while another store takes over, or beside an older version,
 * which goes by the clock of its machine.
 */
export const clockSkewMsMax = 10_000

/** What is wrong with a ticket. `expired` and `early` may be right by the clock of whoever signed it. */
export type TicketFault = 'forged' | 'expired' | 'early'

/**
 * Parses `id:base64,id:base64`, the first being the one in use.
 * @throws Error that says which rule is broken, without the key
 */
export function parseSecretKeys(text: string): readonly SecretKey[] {
  const keys = text.split(',').map(part => {
    const [id, encoded] = part.trim().split(':')
    const key = Buffer.from(encoded ?? '', 'base64')
    if (id === undefined || !/^[\w-]{1,32}$/.test(id))
      throw new Error('unable to read a key set: an id must be 1 to 32 letters, digits, _ or -')
    if (key.length !== 32) throw new Error(`unable to read a key set: key ${id} must be 32 bytes in base64`)
    return { id, key }
  })
  if (new Set(keys.map(one => one.id)).size !== keys.length)
    throw new Error('unable to read a key set: an id stands twice')
  return keys
}

/** A fresh key in the form that parseSecretKeys reads. */
export function generateSecretKey(id: string): string {
  return `${id}:${randomBytes(32).toString('base64')}`
}

const mac = (key: SecretKey, payload: string) => createHmac('sha256', key.key).update(payload).digest()

/** Makes a ticket for one socket of this session, good for ticketLifeMs. */
export function signTicket(keys: readonly SecretKey[], who: { user: string; session: string }, nowMs: number): string {
  const key = keys[0]
  if (key === undefined) throw new Error('unable to sign a ticket: no key')
  const payload = [key.id, randomBytes(12).toString('base64url'), who.user, who.session, nowMs + ticketLifeMs].join('.')
  return `${payload}.${mac(key, payload).toString('base64url')}`
}

/** The ticket, if this deployment signed it and it is good at this time; otherwise what is wrong with it. */
export function verifyTicket(keys: readonly SecretKey[], text: string, nowMs: number): Ticket | TicketFault {
  if (text.length > 256) return 'forged'
  const cut = text.lastIndexOf('.')
  const payload = text.slice(0, cut)
  const [keyId, id, user, session, expires, more] = payload.split('.')
  const key = keys.find(one => one.id === keyId)
  if (key === undefined || !id || !user || !session || !expires || more !== undefined) return 'forged'
  const given = Buffer.from(text.slice(cut + 1), 'base64url')
  const right = mac(key, payload)
  if (given.length !== right.length || !timingSafeEqual(given, right)) return 'forged'
  const expiresAt = Number(expires)
  if (expiresAt + clockSkewMsMax <= nowMs) return 'expired'
  // One that is good for longer than it may be could outlive the memory of its use.
  if (expiresAt - ticketLifeMs > nowMs + clockSkewMsMax) return 'early'
  return { id, user: copied(user), session: copied(session), expiresAt }
}

/** A part of a string holds all of it for as long as it lives, and who was let in is remembered with their connection. */
const copied = (part: string) => Buffer.from(part).toString()
