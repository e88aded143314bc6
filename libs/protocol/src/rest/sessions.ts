/** Signing in, staying signed in, signing out. A browser asks for the refresh token as a cookie. */
import { Type } from 'typebox'
import { Uuid } from '../fields.ts'
import { answered, closed, CookieHeader, DeviceName, done, listOf, named, oneOf, Password, User } from './fields.ts'
import { ShownCode } from './codes.ts'
import { routes } from './route.ts'
import { factors } from './words.ts'

const SignInName = Type.String({
  minLength: 1,
  maxLength: 320,
  description: 'The username, or the address of mail instead.',
})
/** Passed over when it is none, or not of the account. */
export const DeviceToken = Type.String({
  maxLength: 256,
  description: '`device` of an earlier sign-in on this device. Wrong passwords of others then do not keep it waiting.',
})

export const SignedIn = named(
  'SignedIn',
  Type.Object(
    {
      user: User,
      session: Uuid,
      accessToken: Type.String({ description: 'For `Authorization: Bearer`.' }),
      accessTokenExpiresInMs: Type.Integer({ minimum: 1 }),
      refreshToken: Type.Optional(
        Type.String({ description: 'Good once. Not here when it was asked for as a cookie.' }),
      ),
      device: Type.Optional(
        Type.String({
          description:
            'To keep, also after signing out, and to show at the next sign-in. Not here when it is a cookie.',
        }),
      ),
    },
    closed,
  ),
)
export type SignedIn = Type.Static<typeof SignedIn>

/** The server wants to see more before it signs in. */
export const SecondFactorNeeded = Type.Object(
  {
    challenge: Uuid,
    factors: listOf(oneOf(factors), { minItems: 1, description: 'Any one of these finishes the sign-in.' }),
    lifeMs: Type.Integer({ minimum: 1 }),
  },
  closed,
)
export type SecondFactorNeeded = Type.Static<typeof SecondFactorNeeded>
const FactorNeeded = named(
  'FactorNeeded',
  Type.Object(
    { secondFactor: SecondFactorNeeded },
    { ...closed, description: 'Not signed in yet: a second factor is asked for.' },
  ),
)

/** What a route that signs in can answer. */
export const signInAnswers = {
  200: FactorNeeded,
  201: answered('Signed in: the person, the session, and its tokens.', SignedIn),
}

export const sessions = routes('sign-in', 'nothing', {
  signIn: {
    at: 'POST /v1/sessions',
    summary: 'Sign in by a password',
    description:
      'Takes the username, or the address of the account instead. With a second factor set up, the answer is 200 and names what will do: go on at `POST /v1/sessions/second-factor`. After many wrong passwords for one name the answer is `rate_limited`, for growing times; a device that shows the `device` of an earlier sign-in is counted by itself.',
    headers: CookieHeader,
    body: Type.Object(
      {
        username: SignInName,
        password: Password,
        deviceName: Type.Optional(DeviceName),
        device: Type.Optional(DeviceToken),
      },
      closed,
    ),
    answers: signInAnswers,
    refusals: ['credentials_wrong', 'account_suspended'],
  },
  signInByCode: {
    at: 'POST /v1/sessions/by-code',
    summary: 'Sign in by a code',
    description: 'Takes a code for `sign-in`, sent by `POST /v1/codes`.',
    headers: CookieHeader,
    body: Type.Object({ ...ShownCode.properties, deviceName: Type.Optional(DeviceName) }, closed),
    answers: signInAnswers,
    refusals: ['code_invalid', 'account_suspended'],
  },
  refresh: {
    at: 'POST /v1/sessions/refresh',
    summary: 'Exchange a refresh token for new tokens',
    description:
      'A refresh token is good once; using an older one ends the session. The one just before is tolerated for ten seconds if the request carries the `attempt` of the refresh that used it, or comes from the same address and program: that is a repeated request, or two tabs that refresh at once. The cookie is read only with the header `x-flotilla-cookie: 1`.',
    headers: CookieHeader,
    body: Type.Object(
      {
        refreshToken: Type.Optional(Type.String({ maxLength: 256 })),
        attempt: Type.Optional(
          Type.With(Uuid, { description: 'Chosen anew for each refresh; the same when that is tried again.' }),
        ),
      },
      closed,
    ),
    answers: { 200: answered('The person, the session, and new tokens.', SignedIn) },
    refusals: ['refresh_invalid', 'refresh_reused', 'account_suspended'],
  },
  signOut: {
    at: 'DELETE /v1/sessions/current',
    needs: 'session',
    summary: 'Sign out',
    description: 'The session ends: its tokens become worthless at once, and its sockets close.',
    answers: done(),
  },
})
