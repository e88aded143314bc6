/**
 * Signing in with an account elsewhere. The application asks for a visit and opens its URL; that is of this API, so that
 * the cookie of the visit is its own in every deployment. The provider sends the browser back here, and this sends it to
 * the application with a grant in the fragment, which no server and no log on the way sees.
 */
import { identities } from '@flotilla/chat'
import { type ErrorCode, Refusal } from '@flotilla/protocol'
import { rest } from '@flotilla/protocol/schemas'
import type { FastifyReply } from 'fastify'
import type { Api, RouteDeps } from '../app.ts'
import { clientOf } from '../http/client.ts'
import { addressOf, take } from '../http/limits.ts'
import { providersUrl } from '../sign-in/providers.ts'
import { createReturnCheck } from '../sign-in/return-urls.ts'
import { serve } from '../http/serve.ts'
import { answerSignIn } from './sessions.ts'

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
  const cookieName = (visit: string) => `flotilla_visit_${visit}`
  // Lax: the browser comes back by a link of the provider's page, and that is all it is for.
  const cookieOptions = {
    path: new URL(providersUrl(settings.publicUrl ?? 'http://localhost')).pathname,
    httpOnly: true,
    sameSite: 'lax',
    secure: settings.cookieSecure,
  } as const

  serve(app, deps, rest.providers, {
    listProviders: async () => ({ providers: [...providers.list()] }),

    beginVisit: async request => {
      await take(deps.counter, `visit:${addressOf(request)}`, settings.visits)
      const { provider } = request.params
      const { returnTo } = request.body
      return visits.begin({ provider, returnTo, purpose: 'sign-in' })
    },

    openVisit: {
      exposeHeadRoute: false,
      handle: async (request, reply) => {
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
    },

    endVisit: {
      exposeHeadRoute: false,
      handle: async (request, reply) => {
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
    },

    signInByVisit: async (request, reply) => {
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

    proveByVisit: async request => {
      await identities.prove(chat, request.caller, request.body)
    },
  })
}

const told: readonly ErrorCode[] = ['identity_refused', 'provider_failed']

/** What went wrong on the way is told to the application, which shows it; a fault of ours is a fault. */
function goHome(reply: FastifyReply, visit: identities.Visit, error: unknown): FastifyReply {
  if (!(error instanceof Refusal) || !told.includes(error.code)) throw error
  return reply.redirect(homeWith(visit.returnTo, 'error', error.code), 302)
}
