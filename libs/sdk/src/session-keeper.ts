/**
 * Keeps a session: opens it with what somebody shows, keeps its access token fresh, and ends it. Refresh tokens are good
 * for one use: one refresh runs at a time, however many ask.
 */
import type { SecondFactorChallenge, SignedIn, User } from '@flotilla/protocol'
import type { Clock } from './clock.ts'
import { FlotillaError, isRefused } from './flotilla-error.ts'
import type { Call } from './http.ts'
import type { Ask, GetToken } from './rest/ask.ts'

/** What is kept between two runs. It holds secrets: keep it where only the person's own programs can read it. */
export interface StoredSession {
  readonly user: User
  readonly session: string
  readonly accessToken: string
  /** By this device's clock. */
  readonly accessTokenExpiresAt: number
  /** Missing in cookie mode: there the browser holds it and no script can read it. */
  readonly refreshToken?: string
  /**
   * Names the refresh that the refresh token is for. Drawn with the token, so that whoever tries that refresh again (after
   * a lost answer, in another tab, in the run after a crash) names it the same, and is taken for no thief.
   */
  readonly attempt?: string
}

export interface SessionStore {
  load(): Promise<StoredSession | undefined>
  /** `undefined` forgets it. */
  save(session: StoredSession | undefined): Promise<void>
}

/**
 * Where the device is kept: a text that tells the server that this device has signed in before, so that nobody else's wrong
 * passwords keep it waiting. It opens nothing, and outlives signing out.
 */
export interface DeviceStore {
  load(): Promise<string | undefined>
  save(device: string): Promise<void>
}

/** Either signed in, or not yet: then call `finishSignIn`. */
export type SignInAnswer =
  | { readonly user: User; readonly secondFactor?: undefined }
  | { readonly user?: undefined; readonly secondFactor: SecondFactorChallenge }

type SigningIn = SignedIn | { secondFactor: SecondFactorChallenge }
export interface SessionKeeperOptions {
  readonly call: Call
  readonly sessions: SessionStore
  readonly devices: DeviceStore
  readonly cookie: boolean
  readonly clock: Clock
  readonly uuid: () => string
}

export interface SessionKeeper {
  /** For what signs in: says along whether the refresh token is to be a cookie. */
  readonly call: Call
  /** This device, if somebody has signed in on it. In cookie mode the browser says it. */
  device(): Promise<string | undefined> | undefined
  /** Keeps the session that an answer has opened. */
  open(answer: Promise<SigningIn>): Promise<SignInAnswer>
  /** As `open`, where no second factor is ever asked for. */
  openAtOnce(answer: Promise<SigningIn>): Promise<User>
  end(): Promise<void>
  user(): Promise<User | undefined>
  readonly getToken: GetToken
}

/** A token this close to its end counts as expired, so that it does not expire on its way. */
const expiryMarginMs = 30_000

// oxlint-disable-next-line max-lines-per-function -- one short method after the other, over the same session
export function createSessionKeeper(options: SessionKeeperOptions): SessionKeeper {
  const { sessions, clock, uuid } = options
  const extra = options.cookie ? { headers: { 'x-flotilla-cookie': '1' }, cookies: true } : {}
  const call: Call = (at, request) => options.call(at, { ...request, ...extra })
  const ask = call as Ask<'nothing' | 'session'>
  let refreshing: Promise<StoredSession> | undefined
  /** Of a refresh for which nothing is stored: by the cookie of a former page. */
  let looseAttempt: string | undefined

  const fresh = (session: StoredSession) => session.accessTokenExpiresAt - expiryMarginMs > clock.now()

  async function keep(signedIn: SignedIn): Promise<StoredSession> {
    const { user, session, accessToken, accessTokenExpiresInMs, refreshToken } = signedIn
    const kept: StoredSession = {
      user,
      session,
      accessToken,
      accessTokenExpiresAt: clock.now() + accessTokenExpiresInMs,
      ...(refreshToken === undefined ? {} : { refreshToken }),
      attempt: uuid(),
    }
    await sessions.save(kept)
    if (signedIn.device !== undefined) await options.devices.save(signedIn.device)
    return kept
  }

  async function open(asked: Promise<SigningIn>): Promise<SignInAnswer> {
    const answer = await asked
    if ('secondFactor' in answer) return { secondFactor: answer.secondFactor }
    return { user: (await keep(answer)).user }
  }

  async function refresh(): Promise<StoredSession> {
    // Read again: another tab may have refreshed since, and its refresh token is the one that is good.
    const held = await sessions.load()
    const { refreshToken } = held ?? {}
    if (refreshToken === undefined && !options.cookie)
      throw new FlotillaError('refresh_token_invalid', 'unable to get an access token: nobody is signed in')
    const attempt = held?.attempt ?? (looseAttempt ??= uuid())
    const body = refreshToken === undefined ? { attempt } : { refreshToken, attempt }
    try {
      const kept = await keep(await ask('POST /v1/sessions/refresh', { body }))
      looseAttempt = undefined
      return kept
    } catch (thrown) {
      if (isRefused(thrown, 'refresh_token_invalid', 'refresh_token_reused', 'account_suspended'))
        await sessions.save(undefined)
      throw thrown
    }
  }

  function refreshOnce(): Promise<StoredSession> {
    refreshing ??= refresh().finally(() => (refreshing = undefined))
    return refreshing
  }

  return {
    call,
    device: () => (options.cookie ? undefined : options.devices.load()),
    open,
    async openAtOnce(answer) {
      const { user } = await open(answer)
      if (user !== undefined) return user
      throw new FlotillaError('internal', 'unable to sign in: a second factor is asked for')
    },
    async end() {
      const end = (session: StoredSession) => ask('DELETE /v1/sessions/current', { token: session.accessToken })
      try {
        const held = await sessions.load()
        await end(held !== undefined && fresh(held) ? held : await refreshOnce()).catch(async (thrown: unknown) => {
          if (!isRefused(thrown, 'unauthenticated')) throw thrown
          await end(await refreshOnce())
        })
      } catch (thrown) {
        // A session that the server no longer knows is signed out already. Anything else keeps it, to be tried again.
        if (!(thrown instanceof FlotillaError) || thrown.retry) throw thrown
      }
      await sessions.save(undefined)
    },
    async user() {
      return (await sessions.load())?.user
    },
    async getToken({ expired }) {
      const held = await sessions.load()
      if (!expired && held !== undefined && fresh(held)) return held.accessToken
      return (await refreshOnce()).accessToken
    },
  }
}

export function memoryDevice(): DeviceStore {
  let held: string | undefined
  return {
    load: async () => held,
    async save(device) {
      held = device
    },
  }
}

export function memorySessions(): SessionStore {
  let held: StoredSession | undefined
  return {
    load: async () => held,
    async save(session) {
      held = session
    },
  }
}
