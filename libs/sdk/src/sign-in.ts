/**
 * Registers, signs in, keeps the access token fresh and signs out. `getToken` goes to the client as it is.
 * Refresh tokens are good for one use: one refresh runs at a time, however many ask.
 */
import { type Clock, systemClock } from './clock.ts'
import { FlotillaError, type FlotillaErrorCode } from './flotilla-error.ts'
import { createCall, type Fetch } from './http.ts'
import type { GetToken, User } from './rest.ts'

/** What is kept between two runs. It holds secrets: keep it where only the person's own programs can read it. */
export interface StoredSession {
  readonly user: User
  readonly session: string
  readonly accessToken: string
  /** By this device's clock. */
  readonly accessTokenExpiresAt: number
  /** Missing in cookie mode: there the browser holds it and no script can read it. */
  readonly refreshToken?: string
}

export interface SessionStore {
  load(): Promise<StoredSession | undefined>
  /** `undefined` forgets it. */
  save(session: StoredSession | undefined): Promise<void>
}

export interface SignInOptions {
  /** In memory when left out: then a new run signs in again, except in cookie mode. */
  readonly sessions?: SessionStore
  /** For browsers on the API's own site: the refresh token becomes a cookie that no script can read. */
  readonly cookie?: boolean
  readonly fetch?: Fetch
  readonly clock?: Clock
  readonly timeoutMs?: number
}

export interface Credentials {
  readonly username: string
  readonly password: string
  readonly deviceName?: string
}

export interface SignIn {
  register(person: Credentials & { readonly displayName?: string }): Promise<User>
  signIn(credentials: Credentials): Promise<User>
  /** Ends the session on the server, which closes its sockets, and forgets it here. */
  signOut(): Promise<void>
  /** Who is signed in, as far as this device knows. */
  user(): Promise<User | undefined>
  readonly getToken: GetToken
}

interface SignedIn {
  user: User
  session: string
  accessToken: string
  accessTokenExpiresInMs: number
  refreshToken?: string
}

/** A token this close to its end counts as expired, so that it does not expire on its way. */
const expiryMarginMs = 30_000

export function createSignIn(api: string, options: SignInOptions = {}): SignIn {
  const clock = options.clock ?? systemClock
  const sessions = options.sessions ?? memorySessions()
  const call = createCall({ api, fetch: options.fetch ?? fetch, clock, timeoutMs: options.timeoutMs ?? 15_000 })
  const extra = options.cookie ? { headers: { 'x-flotilla-cookie': '1' }, cookies: true } : {}
  let refreshing: Promise<StoredSession> | undefined

  const fresh = (session: StoredSession) => session.accessTokenExpiresAt - expiryMarginMs > clock.now()

  async function keep(signedIn: SignedIn): Promise<StoredSession> {
    const { user, session, accessToken, accessTokenExpiresInMs, refreshToken } = signedIn
    const kept: StoredSession = {
      user,
      session,
      accessToken,
      accessTokenExpiresAt: clock.now() + accessTokenExpiresInMs,
      ...(refreshToken === undefined ? {} : { refreshToken }),
    }
    await sessions.save(kept)
    return kept
  }

  async function refresh(): Promise<StoredSession> {
    // Read again: another tab may have refreshed since, and its refresh token is the one that is good.
    const refreshToken = (await sessions.load())?.refreshToken
    if (refreshToken === undefined && !options.cookie)
      throw new FlotillaError('refresh_invalid', 'unable to get an access token: nobody is signed in')
    const body = refreshToken === undefined ? {} : { refreshToken }
    try {
      return await keep(await call<SignedIn>('POST', '/v1/sessions/refresh', { body, ...extra }))
    } catch (thrown) {
      if (isRefused(thrown, 'refresh_invalid', 'refresh_reused')) await sessions.save(undefined)
      throw thrown
    }
  }

  function refreshOnce(): Promise<StoredSession> {
    refreshing ??= refresh().finally(() => (refreshing = undefined))
    return refreshing
  }

  return {
    async register(person) {
      return (await keep(await call<SignedIn>('POST', '/v1/users', { body: person, ...extra }))).user
    },
    async signIn(credentials) {
      return (await keep(await call<SignedIn>('POST', '/v1/sessions', { body: credentials, ...extra }))).user
    },
    async signOut() {
      const end = (session: StoredSession) =>
        call<undefined>('DELETE', '/v1/sessions/current', { token: session.accessToken, ...extra })
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

function isRefused(thrown: unknown, ...codes: FlotillaErrorCode[]): boolean {
  return thrown instanceof FlotillaError && codes.includes(thrown.code)
}

function memorySessions(): SessionStore {
  let held: StoredSession | undefined
  return {
    load: async () => held,
    async save(session) {
      held = session
    },
  }
}
