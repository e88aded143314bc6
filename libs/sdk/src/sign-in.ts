/**
 * Every way to register and to sign in, the second factor, the fresh proof that some calls ask for, and the way out.
 * `getToken` goes to the client as it is.
 */
import type {
  AskedCode,
  Check,
  Provider,
  Registration as RegistrationRules,
  ShownCode,
  ShownVisit,
  User,
  Visit,
} from '@flotilla/protocol'
import { type Clock, systemClock } from './clock.ts'
import { clientDefaults } from './options.ts'
import { isRefused } from './flotilla-error.ts'
import { createCall, type Fetch } from './http.ts'
import { type Ask, type BodyOf, type GetToken, signedCall } from './rest/ask.ts'
import { createPasskey, getPasskey, type PasskeyCeremonies } from './rest/passkeys.ts'
import {
  createSessionKeeper,
  type DeviceStore,
  memoryDevice,
  memorySessions,
  type SessionStore,
  type SignInAnswer,
} from './session-keeper.ts'
import { randomUuid } from './uuid.ts'
import { type SolveWork, solveWork } from './work.ts'

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

// oxlint-disable-next-line max-lines-per-function -- one short way in after the other, over the same session
export function createSignIn(api: string, options: SignInOptions = {}): SignIn {
  const { clock = systemClock, passkeys, uuid = randomUuid } = options
  const { requestTimeoutMs, fileTimeoutMs } = clientDefaults
  const timeoutMs = options.timeoutMs ?? requestTimeoutMs
  const call = createCall({ api, fetch: options.fetch ?? fetch, clock, timeoutMs, fileTimeoutMs })
  const { sessions = memorySessions(), devices = memoryDevice(), cookie = false } = options
  const keeper = createSessionKeeper({ call, sessions, devices, cookie, clock, uuid })
  const { open, openAtOnce } = keeper
  const ask = call as Ask<'nothing'>
  const askIn = keeper.call as Ask<'nothing'>
  const askSigned = signedCall(call, keeper.getToken) as Ask<'session'>
  const solve = options.solveWork ?? solveWork

  /** Asks once more with the work done, where the deployment asks for that. */
  async function checked<Shown extends Checked, T>(
    { captcha, ...shown }: Shown,
    show: (shown: Omit<Shown, 'captcha'> & { check?: Check }) => Promise<T>,
  ): Promise<T> {
    if (captcha !== undefined) return show({ ...shown, check: { captcha } })
    try {
      return await show(shown)
    } catch (thrown) {
      if (!isRefused(thrown, 'check_needed') || thrown.rule !== 'work') throw thrown
      const work = await ask('POST /v1/registration/work')
      return show({ ...shown, check: { challenge: work.challenge, solution: await solve(work) } })
    }
  }

  return {
    askCode: body => ask('POST /v1/codes', { body }),
    resendCode: request => ask('POST /v1/codes/{id}/resend', { id: request }),

    registration: () => ask('GET /v1/registration'),
    register: person => openAtOnce(checked(person, body => askIn('POST /v1/users', { body }))),
    async registerByPasskey({ deviceName, ...person }) {
      const { challenge, options: asked } = await checked(person, body =>
        ask('POST /v1/users/by-passkey/options', { body }),
      )
      const named = deviceName === undefined ? {} : { deviceName }
      const body = { ...named, challenge, passkey: await createPasskey(passkeys, asked) }
      return openAtOnce(askIn('POST /v1/users/by-passkey', { body }))
    },

    async signIn(credentials) {
      const device = await keeper.device()
      const body = device === undefined ? credentials : { ...credentials, device }
      return open(askIn('POST /v1/sessions', { body }))
    },
    signInByCode: body => open(askIn('POST /v1/sessions/by-code', { body })),
    async signInByPasskey(device) {
      const { challenge, options: asked } = await ask('POST /v1/passkeys/options')
      const body = { ...device, challenge, passkey: await getPasskey(passkeys, asked) }
      return open(askIn('POST /v1/sessions/by-passkey', { body }))
    },
    listProviders: () => ask('GET /v1/providers'),
    beginVisit: ({ provider, returnTo }) =>
      ask('POST /v1/providers/{provider}/visits', { provider, body: { returnTo } }),
    signInByVisit: body => open(askIn('POST /v1/sessions/by-visit', { body })),
    resetPassword: body => open(askIn('POST /v1/password-resets', { body })),

    askFactorCode: challenge => ask('POST /v1/sessions/second-factor/code', { body: { challenge } }),
    async finish(shown) {
      const finish = (body: BodyOf<'POST /v1/sessions/second-factor'>) =>
        openAtOnce(askIn('POST /v1/sessions/second-factor', { body }))
      if (shown.factor !== 'passkey') return finish(shown)
      const { challenge } = shown
      const { options: asked } = await ask('POST /v1/sessions/second-factor/passkey', { body: { challenge } })
      return finish({ ...shown, passkey: await getPasskey(passkeys, asked) })
    },

    async prove(proof) {
      const prove = (body: BodyOf<'POST /v1/sessions/current/proof'>) =>
        askSigned('POST /v1/sessions/current/proof', { body })
      if (proof.factor !== 'passkey') return prove(proof)
      const { challenge, options: asked } = await askSigned('POST /v1/sessions/current/proof/passkey')
      return prove({ ...proof, challenge, passkey: await getPasskey(passkeys, asked) })
    },
    askProofCode: () => askSigned('POST /v1/sessions/current/proof/code'),
    proveByVisit: body => askSigned('POST /v1/sessions/current/proof/by-visit', { body }),
    signOut: keeper.end,
    user: keeper.user,
    getToken: keeper.getToken,
  }
}
