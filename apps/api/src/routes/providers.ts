/**
 * Signing in with an account elsewhere. The application asks for a visit and opens its URL; that is of this API, so that
 * the cookie of the visit is its own in every deployment. The provider sends the browser back here, and this sends it to
 * the application with a grant in the fragment, which no server and no log on the way sees.
 */
import { identities } from '@flotilla/chat'
import { type ErrorCode, Refusal } from '@flotilla/protocol'
import { Uuid } from '@flotilla/protocol/schemas'
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import type { Api, RouteDeps } from '../app.ts'
import { clientOf } from '../client.ts'
import { addressOf, take } from '../limits.ts'
import { providersUrl } from '../providers.ts'
import { bodyCodes, refusals, registrationRefusals } from '../refusals.ts'
import { createReturnCheck } from '../return-urls.ts'
import { answered, DeviceName, InvitationCode, named } from '../shapes.ts'
import { CookieHeader } from '../cookies.ts'
import { answerSignIn, signInAnswers } from './sessions.ts'

const closed = { additionalProperties: false }
const token = { pattern: '^[\\w-]{43}$' }

export const ProviderName = Type.String({ minLength: 1, maxLength: 32 })
export const ReturnTo = Type.String({
  minLength: 1,
  maxLength: 2_048,
  description: 'Where the browser goes at the end, with `#grant=…` or `#error=code`. A place that RETURN_URLS allows.',
})

export const VisitBegun = named(
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

/** What an application shows after a visit. */
export const Shown = {
  grant: Type.String({ minLength: 1, maxLength: 128, description: 'From the fragment. Good once, for a minute.' }),
  secret: Type.String({ ...token, description: 'From the answer that began the visit.' }),
}

const Redirect = Type.Null({ description: 'To where `Location` says.' })

/** What a visit is begun by, the same whatever it is for. */
export function createVisits(deps: RouteDeps) {
  const { chat, settings, providers } = deps
  const checkReturn = createReturnCheck(settings)
  return {
    /** @throws Refusal provider_unknown, field_invalid, provider_failed */
    async begin(visit: Parameters<typeof identities.beginVisit>[1]) {
      const provider = providers.get(visit.provider)
      const returnTo = checkReturn(visit.returnTo)
      await provider.ready()
      const { visit: id, secret, lifeMs } = await identities.beginVisit(chat, { ...visit, returnTo })
      return { url: `${providersUrl(settings.publicUrl ?? '')}/${provider.name}/visits/${id}`, secret, lifeMs }
    },
  }
}

/** The fragment is the page's alone. */
const homeWith = (returnTo: string, name: 'grant' | 'error', value: string) => `${returnTo}#${name}=${value}`

export function providerRoutes(app: Api, deps: RouteDeps): void {
  const { chat, providers, settings } = deps
  const visits = createVisits(deps)
  const shared = { tags: ['sign-in'] }
  const ByProvider = Type.Object({ provider: ProviderName }, closed)
  const cookieName = (visit: string) => `flotilla_visit_${visit}`
  // Lax: the browser comes back by a link of the provider's page, and that is all it is for.
  const cookieOptions = {
    path: new URL(providersUrl(settings.publicUrl ?? 'http://localhost')).pathname,
    httpOnly: true,
    sameSite: 'lax',
    secure: settings.cookieSecure,
  } as const

  app.get(
    '/providers',
    {
      schema: {
        ...shared,
        operationId: 'listProviders',
        summary: 'List the providers to sign in with',
        description: 'Which accounts elsewhere this deployment accepts, such as GitHub.',
        response: {
          200: answered(
            'The providers; perhaps none.',
            Type.Object(
              { providers: Type.Array(Type.Object({ name: Type.String(), title: Type.String() }, closed)) },
              closed,
            ),
          ),
          ...refusals(),
        },
      },
    },
    async () => ({ providers: [...providers.list()] }),
  )

  app.post(
    '/providers/:provider/visits',
    {
      schema: {
        ...shared,
        operationId: 'beginVisit',
        summary: 'Begin a sign-in with an account elsewhere',
        description:
          'Send the browser to `url`. It comes back to `returnTo` with a grant for `POST /v1/sessions/by-visit`; keep the `secret`, which is asked for there.',
        params: ByProvider,
        body: Type.Object({ returnTo: ReturnTo }, closed),
        response: {
          201: answered('Where to send the browser, and the secret to keep.', VisitBegun),
          ...refusals(...bodyCodes, 'provider_unknown', 'provider_failed'),
        },
      },
    },
    async (request, reply) => {
      await take(deps.counter, `visit:${addressOf(request)}`, settings.visits)
      const { provider } = request.params
      const { returnTo } = request.body
      return reply.code(201).send(await visits.begin({ provider, returnTo, purpose: 'sign-in' }))
    },
  )

  app.get(
    '/providers/:provider/visits/:id',
    {
      exposeHeadRoute: false,
      schema: {
        ...shared,
        operationId: 'openVisit',
        summary: 'Send the browser on to the provider',
        description: 'For the browser itself, which `POST /v1/providers/{provider}/visits` has sent here.',
        params: Type.Object({ provider: ProviderName, id: Uuid }, closed),
        response: { 302: Redirect, ...refusals('provider_unknown', 'identity_refused') },
      },
    },
    async (request, reply) => {
      const { id } = request.params
      const provider = providers.get(request.params.provider)
      const name = cookieName(id)
      const opened = await identities.openVisit(chat, {
        provider: provider.name,
        visit: id,
        browser: request.cookies[name],
      })
      const { visit, browser } = opened
      const maxAge = Math.ceil(chat.settings.visitLifeMs / 1000)
      try {
        const url = await provider.authorizationUrl(visit)
        return reply.setCookie(name, browser, { ...cookieOptions, maxAge }).redirect(url.href, 302)
      } catch (error) {
        return goHome(reply, visit, error)
      }
    },
  )

  app.get(
    '/providers/:provider/callback',
    {
      exposeHeadRoute: false,
      schema: {
        ...shared,
        operationId: 'endVisit',
        summary: 'Take the browser back from the provider',
        description:
          'For the browser itself, which goes on to the application with a grant, or with the reason why there is none.',
        params: ByProvider,
        // Providers add what they like, and OAuth says to pass over what one does not know.
        querystring: Type.Object(
          {
            state: Type.String({ maxLength: 256 }),
            code: Type.Optional(Type.String({ maxLength: 4_096 })),
            error: Type.Optional(Type.String({ maxLength: 256 })),
            iss: Type.Optional(Type.String({ maxLength: 1_024 })),
          },
          { additionalProperties: true },
        ),
        response: { 302: Redirect, ...refusals('provider_unknown', 'identity_refused') },
      },
    },
    async (request, reply) => {
      const provider = providers.get(request.params.provider)
      const { state } = request.query
      const visit = identities.visitOfState(state)
      const browser = visit === undefined ? undefined : request.cookies[cookieName(visit)]
      if (visit === undefined || browser === undefined) throw new Refusal('identity_refused')
      const answer = new URL(request.url, 'http://localhost').searchParams
      const ended = await identities.endVisit(chat, { provider: provider.name, state, browser }, visited =>
        provider.profileOf(visited, answer),
      )
      reply.clearCookie(cookieName(visit), cookieOptions)
      if ('refusal' in ended) return goHome(reply, ended.visit, ended.refusal)
      return reply.redirect(homeWith(ended.visit.returnTo, 'grant', ended.grant), 302)
    },
  )

  app.post(
    '/sessions/by-visit',
    {
      schema: {
        ...shared,
        operationId: 'signInByVisit',
        summary: 'Sign in by a visit',
        description:
          'Takes the grant that the browser brought back, and the secret of the visit. An identity that is not known here joins the account with the same address if both sides have verified it, once the second factor of the account was shown; otherwise an account is made, where the deployment takes whoever comes, or the `invitation`.',
        headers: CookieHeader,
        body: Type.Object(
          { ...Shown, deviceName: Type.Optional(DeviceName), invitation: Type.Optional(InvitationCode) },
          closed,
        ),
        response: {
          ...signInAnswers,
          ...refusals(...bodyCodes, ...registrationRefusals, 'identity_refused', 'identity_taken', 'account_suspended'),
        },
      },
    },
    async (request, reply) => {
      const { grant, secret, deviceName, invitation } = request.body
      const client = clientOf(deps, request, deviceName)
      return answerSignIn(
        app,
        deps,
        request,
        reply,
        await identities.signIn(chat, { grant, secret, invitation, client }),
      )
    },
  )

  app.post(
    '/sessions/current/proof/by-visit',
    {
      preParsing: deps.authenticate,
      schema: {
        ...shared,
        operationId: 'proveByVisit',
        summary: 'Prove again who I am, by a visit',
        description: 'Takes the grant of a visit that this session began with `prove`, and its secret.',
        security: [{ accessToken: [] }],
        body: Type.Object(Shown, closed),
        response: {
          204: Type.Null({ description: 'Done.' }),
          ...refusals(...bodyCodes, 'unauthenticated', 'identity_refused', 'proof_needed'),
        },
      },
    },
    async (request, reply) => {
      await identities.prove(chat, request.caller, request.body)
      return reply.code(204).send(null)
    },
  )
}

const told: readonly ErrorCode[] = ['identity_refused', 'provider_failed']

/** What went wrong on the way is told to the application, which shows it; a fault of ours is a fault. */
function goHome(reply: FastifyReply, visit: identities.Visit, error: unknown): FastifyReply {
  if (!(error instanceof Refusal) || !told.includes(error.code)) throw error
  return reply.redirect(homeWith(visit.returnTo, 'error', error.code), 302)
}
