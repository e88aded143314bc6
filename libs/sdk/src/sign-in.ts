/**
 * Every way to register and to sign in, the second factor, the fresh proof that some calls ask for, and the way out.
 * `getToken` goes to the client as it is.
 */
import { type Clock, systemClock } from './clock.ts'
import { clientDefaults } from './options.ts'
import { FlotillaError } from './flotilla-error.ts'
import { createCall, type Fetch } from './http.ts'
import type { AskedCode, ShownCode } from './rest/account.ts'
import type { ShownVisit, Visit } from './rest/identities.ts'
import {
  type AskedPasskey,
  createPasskey,
  getPasskey,
  type PasskeyCeremonies,
  type PasskeyCreationOptions,
  type PasskeyRequestOptions,
} from './rest/passkeys.ts'
import type { User } from './rest/people.ts'
import { createSigned, type GetToken } from './rest/signed.ts'
import {
  createSessionKeeper,
  type DeviceStore,
  memoryDevice,
  memorySessions,
  type SessionStore,
  type SignInAnswer,
} from './session-keeper.ts'
import { randomUuid } from './uuid.ts'
import { type SolveWork, solveWork, type Work } from './work.ts'

export interface SignInOptions {
  /** In memory when left out: then a new run signs in again, except in cookie mode. */
  readonly sessions?: SessionStore
  /** In memory when left out: after a new run the device is one among others. Not needed in cookie mode. */
  readonly devices?: DeviceStore
  /** Does the proof of work that registering may ask for; crypto.subtle when left out. */
  readonly solveWork?: SolveWork
  /** For browsers on the API's own site: the refresh token becomes a cookie that no script can read. */
  readonly cookie?: boolean
  /** For passkeys: `{ create: startRegistration, get: startAuthentication }` of @simplewebauthn/browser will do. */
  readonly passkeys?: PasskeyCeremonies
  readonly fetch?: Fetch
  readonly clock?: Clock
  readonly uuid?: () => string
  readonly timeoutMs?: number
}

/** What the person calls this device, for the list of sign-ins: 1 to 60 characters. */
interface Named {
  readonly deviceName?: string
}

export interface Credentials extends Named {
  /** The username, or the address of mail instead. */
  readonly username: string
  readonly password: string
}

/** How one registers at a deployment. */
export interface RegistrationRules {
  /** Everybody may; those with an address of `domains`, or invited; those who are invited; nobody. */
  readonly mode: 'open' | 'domain' | 'invitation' | 'closed'
  readonly domains?: readonly string[]
  /** `work` is done by itself; a `captcha` is for the page, which hands in its token. */
  readonly check: 'none' | 'work' | 'captcha'
  readonly captchaSiteKey?: string
}

interface Admitted {
  /** The code of an invitation. */
  readonly invitation?: string
}

interface Checked {
  /** What the captcha gave, where the deployment asks for one. */
  readonly captcha?: string
}

/** A username alone is enough; without one it is made of the address, or of chance. */
export interface Registration extends Named, Admitted, Checked {
  readonly username?: string
  readonly password?: string
  /** A code for `register`: its address becomes that of the account. */
  readonly email?: ShownCode
  readonly displayName?: string
}

export interface PasskeyRegistration extends Named, Admitted, Checked {
  readonly username: string
  readonly displayName?: string
}

/** A second factor, and the challenge that asked for one. A passkey is brought by the browser. */
export type SecondFactor = { readonly challenge: string } & Named &
  (
    | { readonly factor: 'totp' | 'recovery_code' | 'email_code'; readonly code: string }
    | { readonly factor: 'password'; readonly password: string }
    | { readonly factor: 'passkey' }
  )

/** What shows again who one is. A passkey is brought by the browser. */
export type Proof =
  | { readonly factor: 'password'; readonly password: string }
  | { readonly factor: 'totp'; readonly code: string }
  | ({ readonly factor: 'email_code' } & ShownCode)
  | { readonly factor: 'passkey' }

/** An account elsewhere that one can sign in with. */
export interface Provider {
  /** For `beginVisit`. */
  readonly name: string
  /** For the eye. */
  readonly title: string
}

/** Calls fail with a FlotillaError; beyond the codes named, with `rate_limited` when there were too many tries. */
export interface SignIn {
  // ---- codes by mail ----
  /**
   * Sends a code to an address. The answer is the same whether anybody has it. @throws FlotillaError mail_unavailable
   */
  askCode(ask: {
    readonly email: string
    readonly purpose: 'register' | 'sign-in' | 'reset-password'
  }): Promise<AskedCode>
  /** Sends another one for the same request, not before `resendAfterMs`. @throws FlotillaError code_invalid, too_many */
  resendCode(request: string): Promise<AskedCode>

  // ---- registering, which signs in ----
  /** Whom the deployment takes, and what it asks for. */
  registration(): Promise<RegistrationRules>
  /**
   * @throws FlotillaError username_taken, email_taken, password_weak, code_invalid, registration_closed,
   *   invitation_invalid, check_needed (a captcha)
   */
  register(person: Registration): Promise<User>
  /** With a passkey instead of a password. @throws FlotillaError as `register`, passkey_failed, passkey_invalid */
  registerByPasskey(person: PasskeyRegistration): Promise<User>

  // ---- signing in: each answers `user`, or `secondFactor` for `finish` ----
  /** By a password. @throws FlotillaError credentials_wrong */
  signIn(credentials: Credentials): Promise<SignInAnswer>
  /** By a code for `sign-in`. @throws FlotillaError code_invalid */
  signInByCode(shown: ShownCode & Named): Promise<SignInAnswer>
  /** The browser offers what it has; nobody is named. @throws FlotillaError passkey_failed, passkey_invalid */
  signInByPasskey(device?: Named): Promise<SignInAnswer>
  /** The accounts elsewhere that this deployment takes. */
  listProviders(): Promise<{ readonly providers: readonly Provider[] }>
  /**
   * Begins a visit at a provider: keep `secret`, go to `url`. The page at `returnTo` finds the grant with `readVisit`.
   * @throws FlotillaError provider_unknown, provider_failed, field_invalid (the deployment does not know `returnTo`)
   */
  beginVisit(visit: { readonly provider: string; readonly returnTo: string }): Promise<Visit>
  /**
   * With what the visit has brought. Somebody new may need an invitation.
   * @throws FlotillaError identity_refused, identity_taken, registration_closed, invitation_invalid
   */
  signInByVisit(shown: ShownVisit & Named & Admitted): Promise<SignInAnswer>
  /** Sets a new password by a code for `reset-password`. All sessions of before end. @throws FlotillaError code_invalid */
  resetPassword(reset: ShownCode & { readonly password: string } & Named): Promise<SignInAnswer>

  // ---- the second factor ----
  /** Sends the code of `email_code`. @throws FlotillaError challenge_invalid, too_many */
  askFactorCode(challenge: string): Promise<AskedCode>
  /** Finishes a sign-in. After five tries sign in anew. @throws FlotillaError second_factor_wrong, challenge_invalid */
  finish(shown: SecondFactor): Promise<User>

  // ---- signed in ----
  /**
   * Shows again who one is: after it, what was refused with `proof_needed` can be called, for some minutes.
   * @throws FlotillaError credentials_wrong, second_factor_wrong, code_invalid, passkey_failed, passkey_invalid
   */
  prove(proof: Proof): Promise<void>
  /** Sends a code to one's own address, for `prove`. @throws FlotillaError factor_conflict (there is no address) */
  askProofCode(): Promise<AskedCode>
  /** As `prove`, with a visit that `rest.identities.beginVisit` began. @throws FlotillaError identity_refused */
  proveByVisit(shown: ShownVisit): Promise<void>
  /** Ends the session on the server, which closes its sockets, and forgets it here. */
  signOut(): Promise<void>
  /** Who is signed in, as far as this device knows. */
  user(): Promise<User | undefined>
  readonly getToken: GetToken
}

type ToCreate = AskedPasskey<PasskeyCreationOptions>
type ToUse = AskedPasskey<PasskeyRequestOptions>

export function createSignIn(api: string, options: SignInOptions = {}): SignIn {
  const { clock = systemClock, passkeys, uuid = randomUuid } = options
  const { requestTimeoutMs, fileTimeoutMs } = clientDefaults
  const timeoutMs = options.timeoutMs ?? requestTimeoutMs
  const call = createCall({ api, fetch: options.fetch ?? fetch, clock, timeoutMs, fileTimeoutMs })
  const { sessions = memorySessions(), devices = memoryDevice(), cookie = false } = options
  const keeper = createSessionKeeper({ call, sessions, devices, cookie, clock, uuid })
  const signed = createSigned(call, keeper.getToken)
  const post = <T>(path: string, body: object) => call<T>('POST', path, { body })
  const solve = options.solveWork ?? solveWork

  /** Asks once more with the work done, where the deployment asks for that. */
  async function checked<T>({ captcha, ...shown }: Checked, ask: (shown: object) => Promise<T>): Promise<T> {
    if (captcha !== undefined) return ask({ ...shown, check: { captcha } })
    try {
      return await ask(shown)
    } catch (thrown) {
      if (!(thrown instanceof FlotillaError) || thrown.code !== 'check_needed' || thrown.rule !== 'work') throw thrown
      const work = await call<Work>('POST', '/v1/registration/work')
      return ask({ ...shown, check: { challenge: work.challenge, solution: await solve(work) } })
    }
  }

  return {
    askCode: ask => post('/v1/codes', ask),
    resendCode: request => post(`/v1/codes/${encodeURIComponent(request)}/resend`, {}),

    registration: () => call('GET', '/v1/registration'),
    register: person => checked(person, shown => keeper.openAtOnce('/v1/users', shown)),
    async registerByPasskey({ deviceName, ...person }) {
      const asked = await checked(person, shown => post<ToCreate>('/v1/users/by-passkey/options', shown))
      const passkey = await createPasskey(passkeys, asked.options)
      return keeper.openAtOnce('/v1/users/by-passkey', { challenge: asked.challenge, passkey, deviceName })
    },

    signIn: credentials => keeper.openOnDevice('/v1/sessions', credentials),
    signInByCode: shown => keeper.open('/v1/sessions/by-code', shown),
    async signInByPasskey({ deviceName } = {}) {
      const asked = await call<ToUse>('POST', '/v1/passkeys/options')
      const passkey = await getPasskey(passkeys, asked.options)
      return keeper.open('/v1/sessions/by-passkey', { challenge: asked.challenge, passkey, deviceName })
    },
    listProviders: () => call('GET', '/v1/providers'),
    beginVisit: ({ provider, returnTo }) => post(`/v1/providers/${encodeURIComponent(provider)}/visits`, { returnTo }),
    signInByVisit: shown => keeper.open('/v1/sessions/by-visit', shown),
    resetPassword: reset => keeper.open('/v1/password-resets', reset),

    askFactorCode: challenge => post('/v1/sessions/second-factor/code', { challenge }),
    async finish(shown) {
      const path = '/v1/sessions/second-factor'
      if (shown.factor !== 'passkey') return keeper.openAtOnce(path, shown)
      const { challenge } = shown
      const asked = await post<Pick<ToUse, 'options'>>(`${path}/passkey`, { challenge })
      return keeper.openAtOnce(path, { ...shown, passkey: await getPasskey(passkeys, asked.options) })
    },

    async prove(proof) {
      const path = '/v1/sessions/current/proof'
      if (proof.factor !== 'passkey') return signed('POST', path, { body: proof })
      const { challenge, options: asked } = await signed<ToUse>('POST', `${path}/passkey`)
      return signed('POST', path, { body: { ...proof, challenge, passkey: await getPasskey(passkeys, asked) } })
    },
    askProofCode: () => signed('POST', '/v1/sessions/current/proof/code'),
    proveByVisit: shown => signed('POST', '/v1/sessions/current/proof/by-visit', { body: shown }),
    signOut: keeper.end,
    user: keeper.user,
    getToken: keeper.getToken,
  }
}
