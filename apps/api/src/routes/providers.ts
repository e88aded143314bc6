/**
 * Signing in with an account elsewhere. The application asks for an authorization and opens its URL; that is of this API, so that
 * the cookie of the authorization is its own in every deployment. The provider sends the browser back here, and this sends it to
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

/** What an authorization is begun by, the same whatever it is for. */
export function createAuthorizations(deps: RouteDeps) {
  const { chat, settings, providers } = deps
  const checkReturn = createReturnCheck(settings)
  return {
    /** @throws Refusal provider_unknown, field_invalid, provider_failed */
    async begin(authorization: Parameters<typeof identities.beginAuthorization>[1]) {
      const provider = providers.get(authorization.provider)
      const returnTo = checkReturn(authorization.returnTo)
      await provider.ready()
      const {
        authorization: id,
        secret,
        expiresInMs,
      } = await identities.beginAuthorization(chat, { ...authorization, returnTo })
      return {
        url: `${providersUrl(settings.publicUrl ?? '')}/${provider.name}/authorizations/${id}`,
        secret,
        expiresInMs,
      }
    },
  }
}

/** The fragment is the page's alone. */
const homeWith = (returnTo: string, name: 'grant' | 'error', value: string) => `${returnTo}#${name}=${value}`

export function providerRoutes(app: Api, deps: RouteDeps): void {
  const { chat, providers, settings } = deps
  const authorizations = createAuthorizations(deps)
  const cookieName = (authorization: string) => `flotilla_authorization_${authorization}`
  // Lax: the browser comes back by a link of the provider's page, and that is all it is for.
  const cookieOptions = {
    path: new URL(providersUrl(settings.publicUrl ?? 'http://localhost')).pathname,
    httpOnly: true,
    sameSite: 'lax',
    secure: settings.cookieSecure,
  } as const

  serve(app, deps, rest.providers, {
    listProviders: async () => ({ providers: [...providers.list()] }),

    beginAuthorization: async request => {
      await take(deps.counter, `authorization:${addressOf(request)}`, settings.providerSignIns)
      const { provider } = request.params
      const { returnTo } = request.body
      return authorizations.begin({ provider, returnTo, purpose: 'sign-in' })
    },

    openAuthorization: {
      exposeHeadRoute: false,
      handle: async (request, reply) => {
        const { id } = request.params
        const provider = providers.get(request.params.provider)
        const name = cookieName(id)
        const opened = await identities.openAuthorization(chat, {
          provider: provider.name,
          authorization: id,
          browser: request.cookies[name],
        })
        const { authorization, browser } = opened
        const maxAge = Math.ceil(chat.settings.authorizationLifeMs / 1000)
        try {
          const url = await provider.authorizationUrl(authorization)
          return reply.setCookie(name, browser, { ...cookieOptions, maxAge }).redirect(url.href, 302)
        } catch (error) {
          return goHome(reply, authorization, error)
        }
      },
    },

    finishAuthorization: {
      exposeHeadRoute: false,
      handle: async (request, reply) => {
        const provider = providers.get(request.params.provider)
        const { state } = request.query
        const authorization = identities.authorizationOfState(state)
        const browser = authorization === undefined ? undefined : request.cookies[cookieName(authorization)]
        if (authorization === undefined || browser === undefined) throw new Refusal('authorization_failed')
        const answer = new URL(request.url, 'http://localhost').searchParams
        const ended = await identities.finishAuthorization(
          chat,
          { provider: provider.name, state, browser },
          authorization => provider.profileOf(authorization, answer),
        )
        reply.clearCookie(cookieName(authorization), cookieOptions)
        if ('refusal' in ended) return goHome(reply, ended.authorization, ended.refusal)
        return reply.redirect(homeWith(ended.authorization.returnTo, 'grant', ended.grant), 302)
      },
    },

    signInWithProvider: async (request, reply) => {
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

    reauthenticateWithProvider: async request => {
      await identities.reauthenticate(chat, request.caller, request.body)
    },
  })
}

const told: readonly ErrorCode[] = ['authorization_failed', 'provider_failed']

/** What went wrong on the way is told to the application, which shows it; a fault of ours is a fault. */
function goHome(reply: FastifyReply, authorization: identities.Authorization, error: unknown): FastifyReply {
  if (!(error instanceof Refusal) || !told.includes(error.code)) throw error
  return reply.redirect(homeWith(authorization.returnTo, 'error', error.code), 302)
}
