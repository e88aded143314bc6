/**
 * What registering asks for beside a name, so that it costs a robot more than it costs a person: a proof of work by the
 * client, or a captcha of somebody else's. Either is good once.
 *
 * The work: a text whose SHA-256, after the challenge and a dot, begins with so many zero bits. The challenge is signed, and
 * kept nowhere: only that it was used is counted, by all processes together.
 */
import { createHash, randomBytes } from 'node:crypto'
import { Refusal } from '@flotilla/protocol'
import type { Check } from '@flotilla/protocol'
import { messageOf } from '@flotilla/service'
import type { FastifyRequest } from 'fastify'
import type { RouteDeps } from '../app.ts'
import { addressOf, hashed, take } from '../http/limits.ts'
import { fetchBounded } from './provider.ts'

const macBound = 'registration work'

/** @returns a challenge and how much work it is. It costs nothing but the answer, so nothing counts it. */
export function createWork({ chat, settings }: RouteDeps) {
  const { workBits: bits, workLifeMs: expiresInMs } = settings.registrationCheck
  const payload = `${chat.clock() + expiresInMs}.${bits}.${randomBytes(16).toString('base64url')}`
  return { challenge: `${payload}.${chat.seal.mac(macBound, payload).toString('base64url')}`, bits, expiresInMs }
}

/**
 * Before anything else is done, and before there is a place in the queue of passwords: a captcha takes its time.
 * @throws Refusal check_required, rate_limited, unavailable (the captcha's server does not answer)
 */
export async function demandCheck(deps: RouteDeps, request: FastifyRequest, check: Check | undefined): Promise<void> {
  const { kind } = deps.settings.registrationCheck
  if (kind === 'none') return
  await take(deps.counter, `check:${addressOf(request)}`, deps.settings.registrations)
  const holds =
    kind === 'work'
      ? check !== undefined && 'challenge' in check && (await workHolds(deps, check))
      : check !== undefined && 'captcha' in check && (await captchaHolds(deps, check.captcha))
  if (!holds) throw new Refusal('check_required', undefined, { field: 'check', rule: kind })
}

const challengeShape = /^((\d{1,16})\.(\d{1,2})\.[\w-]{22})\.([\w-]{43})$/

async function workHolds(
  { chat, counter }: RouteDeps,
  { challenge, solution }: { challenge: string; solution: string },
): Promise<boolean> {
  const [, payload, until, bits, mac] = challengeShape.exec(challenge) ?? []
  if (payload === undefined || !chat.seal.isMac(macBound, payload, Buffer.from(mac ?? '', 'base64url'))) return false
  const leftMs = Number(until) - chat.clock()
  if (leftMs <= 0 || zeroBits(`${challenge}.${solution}`) < Number(bits)) return false
  return once(counter, `work:${payload}`, Math.ceil(leftMs))
}

/** How many zero bits the hash of a text begins with. */
export function zeroBits(text: string): number {
  const hash = createHash('sha256').update(text).digest()
  const at = hash.findIndex(byte => byte !== 0)
  return at < 0 ? 256 : at * 8 + Math.clz32(hash[at]!) - 24
}

async function once(counter: RouteDeps['counter'], key: string, windowMs: number): Promise<boolean> {
  return (await counter(key, windowMs)).count === 1
}

/** No address of the caller goes along: whose captcha it is knows it from the captcha. */
async function captchaHolds(deps: RouteDeps, token: string): Promise<boolean> {
  const { captcha, captchaMsMax } = deps.settings.registrationCheck
  if (captcha === undefined) throw new Error('unable to verify a captcha: nobody said where')
  try {
    const answer = await fetchBounded(captcha.url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ secret: captcha.secret, response: token }).toString(),
      redirect: 'error',
      signal: AbortSignal.timeout(captchaMsMax),
    } as never)
    if (answer.status >= 500) throw new Error(`status ${answer.status}`)
    const said: unknown = await answer.json()
    const holds = typeof said === 'object' && said !== null && 'success' in said && said.success === true
    return holds && (await once(deps.counter, `captcha:${hashed(token)}`, captchaTokenLifeMs))
  } catch (error) {
    const reason = error instanceof Error ? messageOf(error) : 'unknown'
    deps.logger.warn({ reason }, 'unable to verify a captcha')
    throw new Refusal('unavailable', 'unable to verify the captcha: the captcha service does not respond', {
      retryMs: 5_000,
    })
  }
}

/** Those who verify them take none that is older. */
const captchaTokenLifeMs = 10 * 60_000
