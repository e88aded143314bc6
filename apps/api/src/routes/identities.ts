/** The accounts elsewhere that belong to one's account here. */
import { identities, sessions } from '@flotilla/chat'
import { At } from '@flotilla/protocol/schemas'
import { Type } from 'typebox'
import type { Api, RouteDeps } from '../app.ts'
import { clientOf } from '../client.ts'
import { take } from '../limits.ts'
import { bodyCodes, refusals } from '../refusals.ts'
import { answered, named } from '../shapes.ts'
import { createVisits, ProviderName, ReturnTo, Shown, VisitBegun } from './providers.ts'

const closed = { additionalProperties: false }

const Identity = named(
  'Identity',
  Type.Object(
    {
      provider: Type.String(),
      name: Type.String({ description: 'What one is called there.' }),
      email: Type.Optional(Type.String({ description: 'As the provider last vouched for it.' })),
      linkedAt: At,
      usedAt: At,
    },
    closed,
  ),
)

const done = { 204: Type.Null({ description: 'Done.' }) }

export function identityRoutes(app: Api, deps: RouteDeps): void {
  const { chat, authenticate: preParsing } = deps
  const visits = createVisits(deps)
  const shared = { tags: ['sign-in'], security: [{ accessToken: [] }] }

  app.get(
    '/me/identities',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'listIdentities',
        summary: 'List my accounts elsewhere',
        description: 'With which of the providers the caller can sign in.',
        response: {
          200: answered(
            'The accounts elsewhere; perhaps none.',
            Type.Object({ identities: Type.Array(Identity) }, closed),
          ),
          ...refusals('unauthenticated'),
        },
      },
    },
    async request => ({ identities: await identities.list(chat, request.caller.user) }),
  )

  app.post(
    '/me/identities/visits',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'beginIdentityVisit',
        summary: 'Begin to link an account elsewhere',
        description:
          'Linking asks for a fresh proof; with `prove`, the visit is the proof itself. What it brings back is good in this session only.',
        body: Type.Object(
          {
            provider: ProviderName,
            returnTo: ReturnTo,
            prove: Type.Optional(
              Type.Boolean({ description: 'The account is linked already, and is the fresh proof.' }),
            ),
          },
          closed,
        ),
        response: {
          201: answered('Where to send the browser, and the secret to keep.', VisitBegun),
          ...refusals(...bodyCodes, 'unauthenticated', 'proof_needed', 'provider_unknown', 'provider_failed'),
        },
      },
    },
    async (request, reply) => {
      const { body, caller: by } = request
      const { provider, returnTo, prove = false } = body
      await take(deps.counter, `visit:${by.user}`, deps.settings.visits)
      if (!prove) await sessions.demandFresh(chat, by.session)
      return reply.code(201).send(await visits.begin({ provider, returnTo, purpose: prove ? 'prove' : 'link', by }))
    },
  )

  app.post(
    '/me/identities',
    {
      preParsing: deps.authenticateChange,
      schema: {
        ...shared,
        operationId: 'linkIdentity',
        summary: 'Link an account elsewhere',
        description: 'Takes the grant that the browser brought back, and the secret of the visit.',
        body: Type.Object(Shown, closed),
        response: {
          ...done,
          ...refusals(...bodyCodes, 'unauthenticated', 'identity_refused', 'identity_taken', 'too_many'),
        },
      },
    },
    async (request, reply) => {
      const client = clientOf(deps, request)
      await identities.link(chat, request.caller, { ...request.body, client })
      return reply.code(204).send(null)
    },
  )

  app.delete(
    '/me/identities/:provider',
    {
      preParsing: deps.authenticateChange,
      schema: {
        ...shared,
        operationId: 'unlinkIdentity',
        summary: 'Unlink an account elsewhere',
        description: 'Asks for a fresh proof, and for another way to sign in.',
        params: Type.Object({ provider: ProviderName }, closed),
        response: {
          ...done,
          ...refusals('unauthenticated', 'proof_needed', 'identity_unknown', 'last_way_in'),
        },
      },
    },
    async (request, reply) => {
      const { caller, params } = request
      await sessions.demandFresh(chat, caller.session)
      await identities.unlink(chat, caller, { provider: params.provider, client: clientOf(deps, request) })
      return reply.code(204).send(null)
    },
  )
}
