/** Invitations: codes by which others may register. Everybody's own, where people may invite, and those of operators. */
import { invitations } from '@flotilla/chat'
import { At, Uuid } from '@flotilla/protocol/schemas'
import { Type } from 'typebox'
import type { Api, RouteDeps } from '../app.ts'
import { operatorRefusals } from '../operators.ts'
import { bodyCodes, refusals } from '../refusals.ts'
import { answered, ById, listOf, named, PageCursor, pageLimit } from '../shapes.ts'

const closed = { additionalProperties: false }
const pageDefault = 50
const pageMax = 100

const fields = {
  id: Uuid,
  user: Type.With(Uuid, { description: 'Who made it.' }),
  byOperator: Type.Boolean(),
  uses: Type.Integer({ minimum: 1, description: 'How many may register by it.' }),
  used: Type.Integer({ minimum: 0, description: 'How many have.' }),
  createdAt: At,
  expiresAt: At,
}
const Invitation = named('Invitation', Type.Object(fields, closed))
const NewInvitation = named(
  'NewInvitation',
  Type.Object({ ...fields, code: Type.String({ description: 'To hand on. Shown this once.' }) }, closed),
)
const InvitationPage = Type.Object({ invitations: listOf(Invitation), next: Type.Optional(PageCursor) }, closed)

const Wanted = Type.Object(
  {
    uses: Type.Optional(
      Type.Integer({ minimum: 1, maximum: invitations.operatorUsesMax, description: '1 when left out.' }),
    ),
    lifeMs: Type.Optional(
      Type.Integer({ minimum: 60_000, maximum: invitations.invitationLifeMsMax, description: 'How long it is good.' }),
    ),
  },
  closed,
)

export function invitationRoutes(app: Api, deps: RouteDeps): void {
  routesFor(app, deps, {
    path: '/invitations',
    suffix: '',
    tags: ['people'],
    operator: false,
    preParsing: deps.authenticate,
    codes: ['unauthenticated'],
    whose: { makes: 'Where people may invite; otherwise operators alone do.', lists: 'The caller’s own.' },
  })
  routesFor(app, deps, {
    path: '/operator/invitations',
    suffix: 'AsOperator',
    tags: ['operators'],
    operator: true,
    preParsing: deps.authenticateOperator,
    codes: operatorRefusals,
    whose: { makes: 'Good for as many as 10,000.', lists: 'Everybody’s.' },
  })
}

interface Door {
  readonly path: string
  /** Of the names of the operations. */
  readonly suffix: '' | 'AsOperator'
  readonly tags: string[]
  readonly operator: boolean
  readonly preParsing: RouteDeps['authenticate']
  readonly codes: readonly (typeof operatorRefusals)[number][]
  readonly whose: { readonly makes: string; readonly lists: string }
}

function routesFor(app: Api, deps: RouteDeps, door: Door): void {
  const { chat } = deps
  const { path, operator, preParsing, codes, whose } = door
  const shared = { tags: door.tags, security: [{ accessToken: [] }] }
  const as = operator ? ' as an operator' : ''

  app.post(
    path,
    {
      preParsing,
      schema: {
        ...shared,
        operationId: `makeInvitation${door.suffix}`,
        summary: `Make an invitation${as}`,
        description: `A code that lets others register, unless the deployment takes nobody. ${whose.makes}`,
        body: Wanted,
        response: {
          201: answered('The invitation, with its code.', NewInvitation),
          ...refusals(...bodyCodes, ...codes, 'operators_only', 'too_many'),
        },
      },
    },
    async (request, reply) => {
      const { user } = request.caller
      return reply.code(201).send(await invitations.make(chat, user, { ...request.body, operator }))
    },
  )

  app.get(
    path,
    {
      preParsing,
      schema: {
        ...shared,
        operationId: `listInvitations${door.suffix}`,
        summary: `List invitations${as}`,
        description: `${whose.lists} The latest first, until they expire.`,
        querystring: Type.Object({ limit: pageLimit(pageDefault, pageMax), after: Type.Optional(PageCursor) }, closed),
        response: { 200: answered('A page of invitations.', InvitationPage), ...refusals(...codes) },
      },
    },
    async request => {
      const { limit = pageDefault, after } = request.query
      return invitations.list(chat, operator ? undefined : request.caller.user, { limit, after })
    },
  )

  app.delete(
    `${path}/:id`,
    {
      preParsing,
      schema: {
        ...shared,
        operationId: `revokeInvitation${door.suffix}`,
        summary: `Revoke an invitation${as}`,
        description: 'Nobody registers by it any more; whoever has, stays.',
        params: ById,
        response: { 204: Type.Null({ description: 'Done.' }), ...refusals(...codes, 'invitation_unknown') },
      },
    },
    async (request, reply) => {
      await invitations.revoke(chat, operator ? undefined : request.caller.user, request.params.id)
      return reply.code(204).send(null)
    },
  )
}
