/**
 * Signing in with an account elsewhere. The application asks for a visit and opens its URL; that is of this API, so that
 * the cookie of the visit is its own in every deployment. The provider sends the browser back here, and this sends it to
 * the application with a grant in the fragment, which no server and no log on the way sees.
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
  description: 'Where the browser goes at the end, with `#grant=…` or `#error=code`. A place that RETURN_URLS allows.',
})

/** A visit at a provider: the browser goes to `url` and comes back to `returnTo` with a grant. */
export const Visit = named(
  'Visit',
  Type.Object(
    {
      url: Type.String({ description: 'To open in the browser, within `lifeMs`.' }),
      secret: Type.String({ description: 'To keep, and to show together with the grant.' }),
      lifeMs: Type.Integer({ minimum: 1 }),
    },
    closed,
  ),
)
export type Visit = Type.Static<typeof Visit>

/** What an application shows after a visit. */
export const ShownVisit = Type.Object(
  {
    grant: Type.String({ minLength: 1, maxLength: 128, description: 'From the fragment. Good once, for a minute.' }),
    secret: Type.String({ pattern: '^[\\w-]{43}$', description: 'From the answer that began the visit.' }),
  },
  closed,
)
export type ShownVisit = Type.Static<typeof ShownVisit>

/** An account elsewhere that one can sign in with. */
export const Provider = Type.Object({ name: Type.String(), title: Type.String() }, closed)
export type Provider = Type.Static<typeof Provider>

const ByProvider = Type.Object({ provider: ProviderName }, closed)
const Redirect = Type.Null({ description: 'To where `Location` says.' })

export const providers = routes('sign-in', 'nothing', {
  listProviders: {
    at: 'GET /v1/providers',
    summary: 'List the providers to sign in with',
    description: 'Which accounts elsewhere this deployment accepts, such as GitHub.',
    answers: { 200: answered('The providers; perhaps none.', Type.Object({ providers: listOf(Provider) }, closed)) },
  },
  beginVisit: {
    at: 'POST /v1/providers/{provider}/visits',
    summary: 'Begin a sign-in with an account elsewhere',
    description:
      'Send the browser to `url`. It comes back to `returnTo` with a grant for `POST /v1/sessions/by-visit`; keep the `secret`, which is asked for there.',
    params: ByProvider,
    body: Type.Object({ returnTo: ReturnTo }, closed),
    answers: { 201: answered('Where to send the browser, and the secret to keep.', Visit) },
    refusals: ['provider_unknown', 'provider_failed'],
  },
  openVisit: {
    at: 'GET /v1/providers/{provider}/visits/{id}',
    summary: 'Send the browser on to the provider',
    description: 'For the browser itself, which `POST /v1/providers/{provider}/visits` has sent here.',
    params: Type.Object({ provider: ProviderName, id: Uuid }, closed),
    answers: { 302: Redirect },
    refusals: ['provider_unknown', 'identity_refused'],
  },
  endVisit: {
    at: 'GET /v1/providers/{provider}/callback',
    summary: 'Take the browser back from the provider',
    description:
      'For the browser itself, which goes on to the application with a grant, or with the reason why there is none.',
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
    refusals: ['provider_unknown', 'identity_refused'],
  },
  signInByVisit: {
    at: 'POST /v1/sessions/by-visit',
    summary: 'Sign in by a visit',
    description:
      'Takes the grant that the browser brought back, and the secret of the visit. An identity that is not known here joins the account with the same address if both sides have verified it, once the second factor of the account was shown; otherwise an account is made, where the deployment takes whoever comes, or the `invitation`.',
    headers: CookieHeader,
    body: Type.Object(
      { ...ShownVisit.properties, deviceName: Type.Optional(DeviceName), invitation: Type.Optional(InvitationCode) },
      closed,
    ),
    answers: signInAnswers,
    refusals: [...registrationRefusals, 'identity_refused', 'identity_taken', 'account_suspended'],
  },
  proveByVisit: {
    at: 'POST /v1/sessions/current/proof/by-visit',
    needs: 'session',
    summary: 'Prove again who I am, by a visit',
    description: 'Takes the grant of a visit that this session began with `prove`, and its secret.',
    body: ShownVisit,
    answers: done(),
    refusals: ['identity_refused', 'proof_needed'],
  },
})
