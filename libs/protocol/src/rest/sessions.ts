/** Sign in, refresh, sign out. Browsers receive the refresh token as a cookie. */
import { Type } from 'typebox'
import { Uuid } from '../fields.ts'
import { answered, closed, CookieHeader, DeviceName, done, listOf, named, oneOf, Password, User } from './fields.ts'
import { SubmittedCode } from './codes.ts'
import { routes } from './route.ts'
import { factors } from './words.ts'

const SignInName = Type.String({
  minLength: 1,
  maxLength: 320,
  description: 'The username or the email address.',
})
/** Ignored if it is invalid or belongs to another account. */
export const DeviceToken = Type.String({
  maxLength: 256,
  description:
    '`device` of an earlier sign-in on this device. Exempts it from delays caused by failed attempts elsewhere.',
})

export const SignedIn = named(
  'SignedIn',
  Type.Object(
    {
      user: User,
      session: Uuid,
      accessToken: Type.String({ description: 'For `Authorization: Bearer`.' }),
      accessTokenExpiresInMs: Type.Integer({ minimum: 1 }),
      refreshToken: Type.Optional(Type.String({ description: 'Valid once. Missing if requested as a cookie.' })),
      device: Type.Optional(
        Type.String({
          description: 'Keep it even after signing out, and send it with the next sign-in. Missing if it is a cookie.',
        }),
      ),
    },
    closed,
  ),
)
export type SignedIn = Type.Static<typeof SignedIn>

/** A second factor is required to finish the sign-in. */
export const SecondFactorChallenge = Type.Object(
  {
    challenge: Uuid,
    factors: listOf(oneOf(factors), { minItems: 1, description: 'Any one of these finishes the sign-in.' }),
    expiresInMs: Type.Integer({ minimum: 1 }),
  },
  closed,
)
export type SecondFactorChallenge = Type.Static<typeof SecondFactorChallenge>
const SecondFactorRequired = named(
  'SecondFactorRequired',
  Type.Object(
    { secondFactor: SecondFactorChallenge },
    { ...closed, description: 'Not signed in yet: a second factor is required.' },
  ),
)

/** The answers of a route that signs in. */
export const signInAnswers = {
  200: SecondFactorRequired,
  201: answered('Signed in: the user, the session and its tokens.', SignedIn),
}

export const sessions = routes('sign-in', 'nothing', {
  signIn: {
    at: 'POST /v1/sessions',
    summary: 'Sign in with a password',
    description:
      'Accepts the username or the email address. If a second factor is set up, returns 200 with the accepted factors: continue at `POST /v1/sessions/second-factor`. Repeated failures for one username are refused with `rate_limited` for increasing times; a client that sends the `device` of an earlier sign-in is counted separately.',
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
    refusals: ['invalid_credentials', 'account_suspended'],
  },
  signInWithCode: {
    at: 'POST /v1/sessions/with-code',
    summary: 'Sign in with an emailed code',
    description: 'Requires a code sent for `sign-in` by `POST /v1/codes`.',
    headers: CookieHeader,
    body: Type.Object({ ...SubmittedCode.properties, deviceName: Type.Optional(DeviceName) }, closed),
    answers: signInAnswers,
    refusals: ['code_invalid', 'account_suspended'],
  },
  refresh: {
    at: 'POST /v1/sessions/refresh',
    summary: 'Refresh the tokens',
    description:
      'A refresh token is valid once; reusing an older one revokes the session. For ten seconds the previous token is still accepted if the request carries the same `attempt`, or comes from the same address and user agent, to allow for retries and concurrent tabs. The cookie is read only with the header `x-flotilla-cookie: 1`.',
    headers: CookieHeader,
    body: Type.Object(
      {
        refreshToken: Type.Optional(Type.String({ maxLength: 256 })),
        attempt: Type.Optional(Type.With(Uuid, { description: 'A new id for each refresh; repeat it when retrying.' })),
      },
      closed,
    ),
    answers: { 200: answered('The user, the session and new tokens.', SignedIn) },
    refusals: ['refresh_token_invalid', 'refresh_token_reused', 'account_suspended'],
  },
  signOut: {
    at: 'DELETE /v1/sessions/current',
    needs: 'session',
    summary: 'Sign out',
    description: 'Ends the session: invalidates its tokens at once and closes its sockets.',
    answers: done(),
  },
})
