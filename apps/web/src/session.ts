/**
 * Who is signed in on this device, and their client. The refresh token is in a cookie that no script can read; the rest of
 * the session lies in IndexedDB, where all tabs find it. Signing out wipes whatever this origin keeps of the person.
 */
import { createSignIn, FlotillaError, type Stop, type User } from '@flotilla/sdk'
import { createValue, type Readable } from './app/value.ts'
import type { Running } from './client.ts'
import { forgetDevice, openKept } from './kept.ts'
import { passkeys } from './passkeys.ts'

/** The API answers at the page's own origin. */
export const api = location.origin

const kept = openKept()
const channel = new BroadcastChannel('flotilla/account')

export const signIn = createSignIn(api, { sessions: kept, cookie: true, ...(passkeys && { passkeys }) })

export interface Account extends Running {
  readonly user: User
}

/** Why nobody is signed in: they never were, have left, or were put out. */
export type SignedOut = { readonly why: 'none' | 'left' | Stop['reason'] }

const held = createValue<Account | SignedOut>({ why: 'none' })
export const account: Readable<Account | SignedOut> = held
export const isSignedIn = (one: Account | SignedOut): one is Account => 'client' in one

/** The person is signing out by themselves: what the server closes meanwhile is no surprise. */
let isLeaving = false

/** Loads what runs for a person, so that it is there when they are. */
export const loadClient = () => import('./client.ts')

/** @throws FlotillaError where nobody is signed in: a page behind the sign-in is shown to nobody else */
export function requireAccount(): Account {
  const one = held.get()
  if (isSignedIn(one)) return one
  throw new FlotillaError('unauthenticated', 'unable to go on: nobody is signed in')
}

/**
 * Takes up the session that this device keeps, if there is one.
 * @param found told as soon as that is known, while what runs for the person is still loaded
 */
export async function restore(found: () => void): Promise<void> {
  const user = await signIn.user().catch(() => undefined)
  if (user === undefined) return
  found()
  await enter(user)
}

/** Somebody has signed in. */
export async function enter(user: User): Promise<void> {
  const { run } = await loadClient()
  if (isSignedIn(held.get())) return
  const running = run(api, user, signIn.getToken)
  running.client.on('stopped', stop => {
    if (stop.advice === 'sign_in' || stop.reason === 'other_user') void leave(isLeaving ? 'left' : stop.reason)
  })
  running.client.on('user', changed => {
    const now = held.get()
    if (isSignedIn(now) && changed.id === now.user.id) held.set({ ...now, user: changed })
  })
  held.set({ ...running, user })
}

/** Ends the session on the server, then here. @throws FlotillaError where the server could not be reached: nothing is ended */
export async function signOut(): Promise<void> {
  isLeaving = true
  try {
    await signIn.signOut()
    await leave('left')
  } finally {
    isLeaving = false
  }
  channel.postMessage('left')
}

/** Ends what runs for the person and wipes what is kept of them. */
async function leave(why: SignedOut['why']): Promise<void> {
  const before = held.get()
  if (!isSignedIn(before)) return
  held.set({ why })
  await before.end()
  await kept.save(undefined)
  await forgetDevice()
}

channel.addEventListener('message', () => void leave('left'))
