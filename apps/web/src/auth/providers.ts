/**
 * The way to another service and back. The secret of an authorization waits in this tab's own storage, so that a grant that
 * somebody else's page sends here opens nothing.
 */
import {
  type AuthorizationGrant,
  FlotillaError,
  type FlotillaErrorCode,
  readAuthorizationResult,
  type Rest,
  type SignInAnswer,
} from '@flotilla/sdk'
import { signIn } from '../session.ts'
import { deviceName } from './device-name.ts'

const secretKey = 'flotilla.authorization'
const nextKey = 'flotilla.next'
const invitationKey = 'flotilla.invitation'

export interface Leaving {
  readonly next?: string | undefined
  readonly invitation?: string | undefined
}

/** Leaves this page for the provider's. */
export async function goToProvider(provider: string, { next, invitation }: Leaving): Promise<void> {
  const { url, secret } = await signIn.beginAuthorization({ provider, returnTo: `${location.origin}/signin` })
  sessionStorage.setItem(secretKey, secret)
  for (const [key, value] of [
    [nextKey, next],
    [invitationKey, invitation],
  ] as const)
    if (value === undefined) sessionStorage.removeItem(key)
    else sessionStorage.setItem(key, value)
  location.assign(url)
}

/** Whether the browser has come back from a provider. */
export const isBack = () => readAuthorizationResult(location.href) !== undefined

/** Leaves this page to link an account elsewhere to one's own. */
export async function startLinking(rest: Rest, provider: string): Promise<void> {
  const returnTo = `${location.origin}/settings/security`
  const { url, secret } = await rest.identities.beginAuthorization({ provider, returnTo })
  sessionStorage.setItem(secretKey, secret)
  location.assign(url)
}

function take(key: string): string | undefined {
  const value = sessionStorage.getItem(key) ?? undefined
  sessionStorage.removeItem(key)
  return value
}

/** What the browser came back with. A second time there is nothing left. @throws FlotillaError authorization_failed… */
export function takeGrant(): AuthorizationGrant {
  const result = readAuthorizationResult(location.href)
  history.replaceState(history.state, '', location.pathname + location.search)
  const secret = take(secretKey)
  if (result === undefined || 'error' in result || secret === undefined) {
    const code =
      result !== undefined && 'error' in result ? (result.error as FlotillaErrorCode) : 'authorization_failed'
    throw new FlotillaError(code, 'unable to sign in: the other service brought nothing')
  }
  return { grant: result.grant, secret }
}

/** Signs in with what the browser came back with. */
export async function comeBack(): Promise<{ readonly answer: SignInAnswer; readonly next: string | undefined }> {
  const [next, invitation] = [take(nextKey), take(invitationKey)]
  const shown = { ...takeGrant(), deviceName: deviceName() }
  const answer = await signIn.signInWithProvider(invitation === undefined ? shown : { ...shown, invitation })
  return { answer, next }
}
