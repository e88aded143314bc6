/**
 * Signing in with a provider (OAuth 2, OpenID Connect). The application begins an authorization and opens its URL. That URL is
 * of this API, so that its cookie is first-party in every deployment. The provider sends the browser back here, and this sends it
 * to the application with a grant in the fragment, which no server and no log on the way sees.
 */
import { Type } from 'typebox'
import { Uuid } from '../fields.ts'
import {
  registrationRefusals,
  answered,
  closed,
  CookieHeader,
  DeviceName,
  done,
  InvitationCode,
  listOf,
  named,
} from './fields.ts'
import { routes } from './route.ts'
import { signInAnswers } from './sessions.ts'

export const ProviderName = Type.String({ minLength: 1, maxLength: 32 })
export const ReturnTo = Type.String({
  minLength: 1,
  maxLength: 2_048,
  description: 'Where the browser ends up, with `#grant=…` or `#error=code`. RETURN_URLS must allow it.',
})

/** An authorization flow at a provider: the browser goes to `url` and returns to `returnTo` with a grant. */
export const Authorization = named(
  'Authorization',
  Type.Object(
    {
      url: Type.String({ description: 'Open it in the browser, within `expiresInMs`.' }),
      secret: Type.String({ description: 'Keep it, and submit it along with the grant.' }),
      expiresInMs: Type.Integer({ minimum: 1 }),
    },
    closed,
  ),
)
export type Authorization = Type.Static<typeof Authorization>

/** What the application submits at the end of the flow. */
export const AuthorizationGrant = Type.Object(
  {
    grant: Type.String({
      minLength: 1,
      maxLength: 128,
      description: 'From the URL fragment. Valid once, for a minute.',
    }),
    secret: Type.String({ pattern: '^[\\w-]{43}$', description: 'From the response that began the authorization.' }),
  },
  closed,
)
export type AuthorizationGrant = Type.Static<typeof AuthorizationGrant>

/** A sign-in provider. */
export const Provider = Type.Object({ name: Type.String(), title: Type.String() }, closed)
export type Provider = Type.Static<typeof Provider>

const ByProvider = Type.Object({ provider: ProviderName }, closed)
const Redirect = Type.Null({ description: 'Redirects to `Location`.' })

export const providers = routes('sign-in', 'nothing', {
  listProviders: {
    at: 'GET /v1/providers',
    summary: 'List sign-in providers',
    description: 'The providers that this deployment supports, such as GitHub.',
    answers: { 200: answered('The providers; may be empty.', Type.Object({ providers: listOf(Provider) }, closed)) },
  },
  beginAuthorization: {
    at: 'POST /v1/providers/{provider}/authorizations',
    summary: 'Begin a sign-in with a provider',
    description:
      'Send the browser to `url`. It returns to `returnTo` with a grant for `POST /v1/sessions/with-provider`. Keep `secret` and submit it there.',
    params: ByProvider,
    body: Type.Object({ returnTo: ReturnTo }, closed),
    answers: { 201: answered('The URL to open and the secret to keep.', Authorization) },
    refusals: ['provider_unknown', 'provider_failed'],
  },
  openAuthorization: {
    at: 'GET /v1/providers/{provider}/authorizations/{id}',
    summary: 'Redirect to the provider',
    description: 'For the browser: the URL from `POST /v1/providers/{provider}/authorizations`.',
    params: Type.Object({ provider: ProviderName, id: Uuid }, closed),
    answers: { 302: Redirect },
    refusals: ['provider_unknown', 'authorization_failed'],
  },
  finishAuthorization: {
    at: 'GET /v1/providers/{provider}/callback',
    summary: 'Handle the provider’s callback',
    description: 'For the browser: redirects to the application with a grant or an error code.',
    params: ByProvider,
    query: Type.Object(
      {
        state: Type.String({ maxLength: 256 }),
        code: Type.Optional(Type.String({ maxLength: 4_096 })),
        error: Type.Optional(Type.String({ maxLength: 256 })),
        iss: Type.Optional(Type.String({ maxLength: 1_024 })),
      },
      { additionalProperties: true },
    ),
    answers: { 302: Redirect },
    refusals: ['provider_unknown', 'authorization_failed'],
  },
  signInWithProvider: {
    at: 'POST /v1/sessions/with-provider',
    summary: 'Sign in with a provider',
    description:
      'Requires the grant the browser returned with, and the secret of the authorization. An unknown identity is linked to the account with the same email address if both sides have verified it, after that account’s second factor. Otherwise it creates an account, if registration is open or `invitation` is valid.',
    headers: CookieHeader,
    body: Type.Object(
      {
        ...AuthorizationGrant.properties,
        deviceName: Type.Optional(DeviceName),
        invitation: Type.Optional(InvitationCode),
      },
      closed,
    ),
    answers: signInAnswers,
    refusals: [...registrationRefusals, 'authorization_failed', 'identity_taken', 'account_suspended'],
  },
  reauthenticateWithProvider: {
    at: 'POST /v1/sessions/current/reauthentication/with-provider',
    needs: 'session',
    summary: 'Reauthenticate with a provider',
    description: 'Requires the grant and the secret of an authorization that this session began with `reauthenticate`.',
    body: AuthorizationGrant,
    answers: done(),
    refusals: ['authorization_failed', 'reauthentication_required'],
  },
})
