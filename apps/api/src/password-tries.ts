/** What comes before a password is looked at: a place in the queue, and then the counting. */
import { type ChatContext, sessions, type users } from '@flotilla/chat'
import type { FastifyRequest } from 'fastify'
import type { RouteDeps } from './app.ts'
import { addressOf, hashed, isWithin, take } from './limits.ts'

/**
 * Does something that hashes passwords with a place in their queue. It is taken before anything is counted or used up, so
 * that whoever is only told to come back has lost nothing by it.
 * @throws Refusal overloaded, and whatever `work` throws
 */
export async function withPlace<T>(chat: ChatContext, work: (place: users.Place) => Promise<T>): Promise<T> {
  const place = chat.passwords.enter()
  try {
    return await work(place)
  } finally {
    place.leave()
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

/**
 * Counts a try by the name that was written, known or not, and refuses by that alone.
 * @returns counts it by the account too, unseen: somebody with a name and an address has no more tries than others, and
 *   the answers do not tell that the two belong together. Where there is no account the same work is done.
 * @throws Refusal rate_limited
 */
export async function takeTryByName(
  deps: RouteDeps,
  request: FastifyRequest,
  name: string,
): Promise<(account: string | undefined) => Promise<boolean>> {
  const { counter, settings } = deps
  const written = hashed(sessions.signInKey(name))
  await take(counter, `sign-in:${written}:${addressOf(request)}`, settings.signIns)
  return account => isWithin(counter, keyOf(account ?? written, request), settings.signIns)
}
