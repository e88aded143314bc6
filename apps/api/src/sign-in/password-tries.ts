/** What comes before a password is looked at: a slot in the queue, and then the counting. */
import { type accounts, type ChatContext, sessions } from '@flotilla/chat'
import type { FastifyRequest } from 'fastify'
import type { RouteDeps } from '../app.ts'
import { addressOf, hashed, isWithin, take, tooOften } from '../http/limits.ts'
import type { KnownDevice } from './tokens.ts'

/**
 * Does something that hashes passwords with a slot in their queue. It is taken before anything is counted or used up, so
 * that whoever is only told to come back has lost nothing by it.
 * @throws Refusal overloaded, and whatever `work` throws
 */
export async function withHashSlot<T>(chat: ChatContext, work: (slot: accounts.HashSlot) => Promise<T>): Promise<T> {
  const slot = chat.passwords.enter()
  try {
    return await work(slot)
  } finally {
    slot.leave()
  }
}

/** All passwords that are tried for one account from one address of the network count together, wherever it is done. */
const keyOf = (account: string, request: FastifyRequest) => `account:${account}:${addressOf(request)}`

/**
 * Of somebody who has shown already who they are, at least in part: nobody else learns of the count.
 * @throws Refusal rate_limited
 */
export function takeOwnTry(deps: RouteDeps, request: FastifyRequest, user: string): Promise<void> {
  return take(deps.counter, keyOf(user, request), deps.settings.signIns)
}

const waitMsFirst = 1_000

/**
 * Counts a guess, wherever it comes from. Beyond those that are free one is let through at a time, and after it nobody is
 * for twice as long as before. Whoever is refused is not counted.
 * @throws Refusal rate_limited
 */
async function takeGuess({ counter, settings }: RouteDeps, key: string): Promise<void> {
  const { max, windowMs, waitMsMax } = settings.guesses
  const { count } = await counter(`guesses:${key}`, windowMs)
  if (count <= max) return
  const waitMs = Math.min(waitMsMax, waitMsFirst * 2 ** (count - max - 1))
  const turn = await counter(`guess-turn:${key}`, waitMs)
  if (turn.count === 1) return
  await counter(`guesses:${key}`, windowMs, -1)
  throw tooOften(turn.resetMs)
}

export interface TryByName {
  /** For sessions.signIn. @throws Refusal rate_limited */
  readonly mayTry: (account: string | undefined) => Promise<boolean>
  /** The password fitted: it was no guess. */
  wasRight(): Promise<void>
}

/**
 * Counts a try by the name that was written, known or not, and refuses by that alone: from one address of the network, and
 * from all of them together. A device that the account has signed in on before has a count of its own, so that nobody
 * keeps its owner out.
 * @returns `mayTry` counts it by the account too, unseen: somebody with a name and an address has no more tries than
 *   others, and the answers do not tell that the two belong together. Where there is no account the same work is done.
 * @throws Refusal rate_limited
 */
export async function takeTryByName(
  deps: RouteDeps,
  request: FastifyRequest,
  name: string,
  device: KnownDevice | undefined,
): Promise<TryByName> {
  const { counter, settings } = deps
  const written = hashed(sessions.signInKey(name))
  await take(counter, `sign-in:${written}:${addressOf(request)}`, settings.signIns)
  let guess = `name:${written}`
  return {
    async mayTry(account) {
      if (account !== undefined && device?.user === account) guess = `device:${device.session}`
      await takeGuess(deps, guess)
      return isWithin(counter, keyOf(account ?? written, request), settings.signIns)
    },
    async wasRight() {
      await counter(`guesses:${guess}`, settings.guesses.windowMs, -1)
    },
  }
}
