/** What operators do to accounts and messages, and the trail of it. The command line does the same (operate.ts). */
import { operators } from '@flotilla/chat'
import { limits } from '@flotilla/protocol'
import { At, Seq, Uuid } from '@flotilla/protocol/schemas'
import { Type } from 'typebox'
import type { Api, RouteDeps } from '../app.ts'
import { demandNoOperator, operatorRefusals } from '../operators.ts'
import { bodyCodes, refusals } from '../refusals.ts'
import { answered, ById, listOf, named, PageCursor, pageLimit, User } from '../shapes.ts'

const closed = { additionalProperties: false }
const pageDefault = 50
const pageMax = 100

const Reason = Type.String({
  minLength: 1,
  maxLength: limits.reportCommentLengthMax,
  description: 'Why. It stands in the trail, and the person reads it.',
})
const WithReason = Type.Object({ reason: Reason }, closed)

const Action = Type.Unsafe<operators.OperatorAction>(
  Type.Union(operators.operatorActions.map(one => Type.Literal(one))),
)

const ActionPage = Type.Object(
  {
    actions: listOf(
      named(
        'OperatorAction',
        Type.Object(
          {
            id: Uuid,
            at: At,
            operator: Type.Optional(User),
            program: Type.Optional(Type.String({ description: 'Who used the command line.' })),
            action: Action,
            user: Type.Optional(User),
            conversation: Type.Optional(Uuid),
            seq: Type.Optional(Seq),
            reason: Type.String(),
            detail: Type.Record(Type.String(), Type.String(), {
              description: 'Short facts that belong to the action.',
            }),
          },
          { ...closed, description: 'Who did what, to whom, why and when.' },
        ),
      ),
    ),
    next: Type.Optional(PageCursor),
  },
  closed,
)

const Standing = named(
  'Standing',
  Type.Object(
    {
      user: User,
      createdAt: At,
      sessions: Type.Integer({ minimum: 0, description: 'Sign-ins that are good.' }),
      suspended: Type.Boolean(),
      until: Type.Optional(Type.With(At, { description: 'The end of the suspension; without it, it is for good.' })),
      banned: Type.Boolean({ description: 'Username, addresses and identities are held back.' }),
      erased: Type.Boolean(),
    },
    closed,
  ),
)

const shared = { tags: ['operators'], security: [{ accessToken: [] }] }

export function operatorActionRoutes(app: Api, deps: RouteDeps): void {
  accountRoutes(app, deps)
  const { chat, authenticateOperator: preParsing } = deps

  app.post(
    '/operator/conversations/:id/remove-message',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'removeMessage',
        summary: 'Remove what a message says',
        description:
          'The entry stays in its place and says that it was removed; pushes that are waiting are not sent. The copy of a report stays with its report. Devices that have the message keep it.',
        params: ById,
        body: Type.Object({ seq: Seq, reason: Reason }, closed),
        response: {
          204: Type.Null({ description: 'Nothing is left of what it said.' }),
          ...refusals(...bodyCodes, ...operatorRefusals, 'message_unknown'),
        },
      },
    },
    async (request, reply) => {
      const { id: conversation } = request.params
      await operators.removeMessage(chat, { operator: request.caller.user }, { conversation, ...request.body })
      return reply.code(204).send(null)
    },
  )

  app.get(
    '/operator/actions',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'listOperatorActions',
        summary: 'List what operators did',
        description: 'The latest first. Kept for two years, and as long as a suspension lasts.',
        querystring: Type.Object(
          {
            limit: pageLimit(pageDefault, pageMax),
            after: Type.Optional(PageCursor),
            user: Type.Optional(Type.With(Uuid, { description: 'Whom it is about.' })),
            operator: Type.Optional(Uuid),
            action: Type.Optional(Action),
            conversation: Type.Optional(Uuid),
          },
          closed,
        ),
        response: { 200: answered('A page of actions.', ActionPage), ...refusals(...operatorRefusals) },
      },
    },
    async request => {
      const { limit = pageDefault, after, ...filter } = request.query
      return operators.list(chat, filter, { limit, after })
    },
  )
}

function accountRoutes(app: Api, { chat, settings, authenticateOperator: preParsing }: RouteDeps): void {
  app.get(
    '/operator/users/:id',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'getStanding',
        summary: 'Read how an account stands',
        description: 'Whether it is suspended or banned. The person is found by their name with `GET /v1/users`.',
        params: ById,
        response: { 200: answered('How it stands.', Standing), ...refusals(...operatorRefusals, 'user_unknown') },
      },
    },
    async request => operators.standing(chat, request.params.id),
  )

  const refused = [...bodyCodes, ...operatorRefusals, 'operator_protected'] as const
  app.post(
    '/operator/users/:id/suspend',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'suspendUser',
        summary: 'Suspend a person',
        description:
          'Nobody signs in to the account until then, and its sessions end: sockets close within two seconds. It takes the place of a suspension or a ban that stands. The person is told by mail.',
        params: ById,
        body: Type.Object(
          {
            reason: Reason,
            until: Type.Optional(Type.With(At, { description: 'Within ten years. For good when left out.' })),
          },
          closed,
        ),
        response: {
          204: Type.Null({ description: 'They are shut out.' }),
          ...refusals(...refused, 'user_unknown'),
        },
      },
    },
    async (request, reply) => {
      const { id: user } = request.params
      demandNoOperator(settings.operators, user)
      await operators.suspend(chat, { operator: request.caller.user }, { user, ...request.body })
      return reply.code(204).send(null)
    },
  )

  const verbs = [
    {
      path: 'ban',
      act: operators.ban,
      operationId: 'banUser',
      summary: 'Ban a person',
      description:
        'A suspension for good. The username, the addresses and the identities of the account are held back too, also after it was erased.',
      done: 'They are shut out.',
      unknown: 'user_unknown',
    },
    {
      path: 'lift',
      act: operators.lift,
      operationId: 'liftSuspension',
      summary: 'Lift a suspension or a ban',
      description: 'The person may sign in again.',
      done: 'It is lifted.',
      unknown: 'suspension_unknown',
    },
    {
      path: 'sign-out',
      act: operators.signOut,
      operationId: 'signUserOut',
      summary: 'Sign a person out everywhere',
      description: 'All sessions end, and all sign-ins that were begun. The person may sign in again.',
      done: 'They are signed out.',
      unknown: 'user_unknown',
    },
  ] as const
  for (const { path, act, done, unknown, ...words } of verbs)
    app.post(
      `/operator/users/:id/${path}`,
      {
        preParsing,
        schema: {
          ...shared,
          ...words,
          params: ById,
          body: WithReason,
          response: { 204: Type.Null({ description: done }), ...refusals(...refused, unknown) },
        },
      },
      async (request, reply) => {
        const { id: user } = request.params
        demandNoOperator(settings.operators, user)
        await act(chat, { operator: request.caller.user }, { user, ...request.body })
        return reply.code(204).send(null)
      },
    )
}
