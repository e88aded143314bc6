/**
 * Registration, every sign-in method, second factors, reauthentication, and signing out.
 * Pass `getToken` to the client.
 */
import type {
  CodeRequest,
  Check,
  Provider,
  RegistrationRules,
  SubmittedCode,
  AuthorizationGrant,
  User,
  Authorization,
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
  /** In memory by default: then a new run signs in again, except in cookie mode. */
  readonly sessions?: SessionStore
  /** In memory by default: then a new run is an unknown device. Not needed in cookie mode. */
  readonly devices?: DeviceStore
  /** Solves the proof of work that registration may require; with crypto.subtle by default. */
  readonly solveWork?: SolveWork
  /** For browsers on the API's own site: keep the refresh token in an HTTP-only cookie. */
  readonly cookie?: boolean
  /** For passkeys: `{ create: startRegistration, get: startAuthentication }` of @simplewebauthn/browser will do. */
  readonly passkeys?: PasskeyCeremonies
  readonly fetch?: Fetch
  readonly clock?: Clock
  readonly uuid?: () => string
  readonly timeoutMs?: number
}

/** A name for this device in the list of sessions: 1 to 60 characters. */
interface Named {
  readonly deviceName?: string
}

export interface Credentials extends Named {
  /** The username or the email address. */
  readonly username: string
  readonly password: string
}

interface Admitted {
  /** An invitation code. */
  readonly invitation?: string
}

interface Checked {
  /** The captcha token, if the deployment requires a captcha. */
  readonly captcha?: string
}

/** A username is enough; without one, it is derived from the email address or generated. */
export interface Registration extends Named, Admitted, Checked {
  readonly username?: string
  readonly password?: string
  /** A code sent for `register`; its address becomes the account's. */
  readonly email?: SubmittedCode
  readonly displayName?: string
}

export interface PasskeyRegistration extends Named, Admitted, Checked {
  readonly username: string
  readonly displayName?: string
}

/** A second factor, and the challenge that requires it. The browser provides the passkey. */
export type SecondFactor = { readonly challenge: string } & Named &
  (
    | { readonly factor: 'totp' | 'recovery_code' | 'email_code'; readonly code: string }
    | { readonly factor: 'password'; readonly password: string }
    | { readonly factor: 'passkey' }
  )

/** A factor to reauthenticate with. The browser provides the passkey. */
export type Reauthentication =
  | { readonly factor: 'password'; readonly password: string }
  | { readonly factor: 'totp'; readonly code: string }
  | ({ readonly factor: 'email_code' } & SubmittedCode)
  | { readonly factor: 'passkey' }

/** Calls fail with a FlotillaError; beyond the codes named, with `rate_limited` after too many attempts. */
export interface SignIn {
  // ---- emailed codes ----
  /**
   * Sends a code by email. Does not reveal whether the address is known. @throws FlotillaError mail_disabled
   */
  sendCode(ask: {
    readonly email: string
    readonly purpose: 'register' | 'sign-in' | 'reset-password'
  }): Promise<CodeRequest>
  /** Resends it, not before `resendAfterMs`. @throws FlotillaError code_invalid, limit_reached */
  resendCode(request: string): Promise<CodeRequest>

  // ---- registration, which signs in ----
  /** Who may register, and what is required. */
  registration(): Promise<RegistrationRules>
  /**
   * @throws FlotillaError username_taken, email_taken, password_weak, code_invalid, registration_closed,
   *   invitation_invalid, check_required (a captcha)
   */
  register(person: Registration): Promise<User>
  /** With a passkey instead of a password. @throws FlotillaError as `register`, passkey_failed, passkey_invalid */
  registerWithPasskey(person: PasskeyRegistration): Promise<User>

  // ---- signing in: each returns `user`, or `secondFactor` for `finishSignIn` ----
  /** With a password. @throws FlotillaError invalid_credentials */
  signIn(credentials: Credentials): Promise<SignInAnswer>
  /** With a code sent for `sign-in`. @throws FlotillaError code_invalid */
  signInWithCode(shown: SubmittedCode & Named): Promise<SignInAnswer>
  /** The browser offers the passkeys it has; no username is needed. @throws FlotillaError passkey_failed, passkey_invalid */
  signInWithPasskey(device?: Named): Promise<SignInAnswer>
  /** The sign-in providers of this deployment. */
  listProviders(): Promise<{ readonly providers: readonly Provider[] }>
  /**
   * Begins a sign-in with a provider: keep `secret`, open `url`. The page at `returnTo` reads the grant with
   * `readAuthorizationResult`.
   * @throws FlotillaError provider_unknown, provider_failed, field_invalid (`returnTo` is not allowed)
   */
  beginAuthorization(authorization: { readonly provider: string; readonly returnTo: string }): Promise<Authorization>
  /**
   * Signs in with the grant of an authorization. New users may need an invitation.
   * @throws FlotillaError authorization_failed, identity_taken, registration_closed, invitation_invalid
   */
  signInWithProvider(shown: AuthorizationGrant & Named & Admitted): Promise<SignInAnswer>
  /** Sets a new password with a code sent for `reset-password`. Ends all other sessions. @throws FlotillaError code_invalid */
  resetPassword(reset: SubmittedCode & { readonly password: string } & Named): Promise<SignInAnswer>

  // ---- the second factor ----
  /** Sends the code of `email_code`. @throws FlotillaError challenge_invalid, limit_reached */
  sendSecondFactorCode(challenge: string): Promise<CodeRequest>
  /** After five failed attempts, sign in again. @throws FlotillaError second_factor_invalid, challenge_invalid */
  finishSignIn(shown: SecondFactor): Promise<User>

  // ---- signed in ----
  /**
   * Reauthenticates: for some minutes, calls are no longer refused with `reauthentication_required`.
   * @throws FlotillaError invalid_credentials, second_factor_invalid, code_invalid, passkey_failed, passkey_invalid
   */
  reauthenticate(reauthentication: Reauthentication): Promise<void>
  /** Sends a code for `reauthenticate` to the user's own address. @throws FlotillaError factor_conflict (there is no address) */
  sendReauthenticationCode(): Promise<CodeRequest>
  /** Like `reauthenticate`, with an authorization from `rest.identities.beginAuthorization`. @throws FlotillaError authorization_failed */
  reauthenticateWithProvider(shown: AuthorizationGrant): Promise<void>
  /** Ends the session on the server, closes its sockets, and forgets it here. */
  signOut(): Promise<void>
  /** Who is signed in, as far as this device knows. */
  user(): Promise<User | undefined>
  readonly getToken: GetToken
}

// oxlint-disable-next-line max-lines-per-function -- one short method after the other, over the same session
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
      if (!isRefused(thrown, 'check_required') || thrown.rule !== 'work') throw thrown
      const work = await ask('POST /v1/registration/work')
      return show({ ...shown, check: { challenge: work.challenge, solution: await solve(work) } })
    }
  }

  return {
    sendCode: body => ask('POST /v1/codes', { body }),
    resendCode: request => ask('POST /v1/codes/{id}/resend', { id: request }),

    registration: () => ask('GET /v1/registration'),
    register: person => openAtOnce(checked(person, body => askIn('POST /v1/users', { body }))),
    async registerWithPasskey({ deviceName, ...person }) {
      const { challenge, options: asked } = await checked(person, body =>
        ask('POST /v1/users/with-passkey/options', { body }),
      )
      const named = deviceName === undefined ? {} : { deviceName }
      const body = { ...named, challenge, passkey: await createPasskey(passkeys, asked) }
      return openAtOnce(askIn('POST /v1/users/with-passkey', { body }))
    },

    async signIn(credentials) {
      const device = await keeper.device()
      const body = device === undefined ? credentials : { ...credentials, device }
      return open(askIn('POST /v1/sessions', { body }))
    },
    signInWithCode: body => open(askIn('POST /v1/sessions/with-code', { body })),
    async signInWithPasskey(device) {
      const { challenge, options: asked } = await ask('POST /v1/passkeys/options')
      const body = { ...device, challenge, passkey: await getPasskey(passkeys, asked) }
      return open(askIn('POST /v1/sessions/with-passkey', { body }))
    },
    listProviders: () => ask('GET /v1/providers'),
    beginAuthorization: ({ provider, returnTo }) =>
      ask('POST /v1/providers/{provider}/authorizations', { provider, body: { returnTo } }),
    signInWithProvider: body => open(askIn('POST /v1/sessions/with-provider', { body })),
    resetPassword: body => open(askIn('POST /v1/password-resets', { body })),

    sendSecondFactorCode: challenge => ask('POST /v1/sessions/second-factor/code', { body: { challenge } }),
    async finishSignIn(shown) {
      const finish = (body: BodyOf<'POST /v1/sessions/second-factor'>) =>
        openAtOnce(askIn('POST /v1/sessions/second-factor', { body }))
      if (shown.factor !== 'passkey') return finish(shown)
      const { challenge } = shown
      const { options: asked } = await ask('POST /v1/sessions/second-factor/passkey', { body: { challenge } })
      return finish({ ...shown, passkey: await getPasskey(passkeys, asked) })
    },

    async reauthenticate(reauthentication) {
      const reauthenticate = (body: BodyOf<'POST /v1/sessions/current/reauthentication'>) =>
        askSigned('POST /v1/sessions/current/reauthentication', { body })
      if (reauthentication.factor !== 'passkey') return reauthenticate(reauthentication)
      const { challenge, options: asked } = await askSigned('POST /v1/sessions/current/reauthentication/passkey')
      return reauthenticate({ ...reauthentication, challenge, passkey: await getPasskey(passkeys, asked) })
    },
    sendReauthenticationCode: () => askSigned('POST /v1/sessions/current/reauthentication/code'),
    reauthenticateWithProvider: body => askSigned('POST /v1/sessions/current/reauthentication/with-provider', { body }),
    signOut: keeper.end,
    user: keeper.user,
    getToken: keeper.getToken,
  }
}
