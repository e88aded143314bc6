/** What operators do to accounts and messages, and the trail of it. */
import { Type } from 'typebox'
import { At, Seq, Uuid } from '../fields.ts'
import { limits } from '../limits.ts'
import { answered, ById, closed, done, listOf, named, oneOf, PageCursor, pageLimit, User } from './fields.ts'
import { routes } from './route.ts'
import * as words from './words.ts'

const Reason = Type.String({
  minLength: 1,
  maxLength: limits.reportCommentLengthMax,
  description: 'Why. It stands in the trail, and the person reads it.',
})
const WithReason = Type.Object({ reason: Reason }, closed)

const Action = oneOf(words.operatorActions)

const OperatorAction = named(
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
)
const ActionPage = Type.Object({ actions: listOf(OperatorAction), next: Type.Optional(PageCursor) }, closed)

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

export const operatorActions = routes('operators', 'operator', {
  getStanding: {
    at: 'GET /v1/operator/users/{id}',
    summary: 'Read how an account stands',
    description: 'Whether it is suspended or banned. The person is found by their name with `GET /v1/users`.',
    params: ById,
    answers: { 200: answered('How it stands.', Standing) },
    refusals: ['user_unknown'],
  },
  suspendUser: {
    at: 'POST /v1/operator/users/{id}/suspend',
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
    answers: done('They are shut out.'),
    refusals: ['operator_protected', 'user_unknown'],
  },
  banUser: {
    at: 'POST /v1/operator/users/{id}/ban',
    summary: 'Ban a person',
    description:
      'A suspension for good. The username, the addresses and the identities of the account are held back too, also after it was erased.',
    params: ById,
    body: WithReason,
    answers: done('They are shut out.'),
    refusals: ['operator_protected', 'user_unknown'],
  },
  liftSuspension: {
    at: 'POST /v1/operator/users/{id}/lift',
    summary: 'Lift a suspension or a ban',
    description: 'The person may sign in again.',
    params: ById,
    body: WithReason,
    answers: done('It is lifted.'),
    refusals: ['operator_protected', 'suspension_unknown'],
  },
  signUserOut: {
    at: 'POST /v1/operator/users/{id}/sign-out',
    summary: 'Sign a person out everywhere',
    description: 'All sessions end, and all sign-ins that were begun. The person may sign in again.',
    params: ById,
    body: WithReason,
    answers: done('They are signed out.'),
    refusals: ['operator_protected', 'user_unknown'],
  },
  removeMessage: {
    at: 'POST /v1/operator/conversations/{id}/remove-message',
    summary: 'Remove what a message says',
    description:
      'The entry stays in its place and says that it was removed; pushes that are waiting are not sent. The copy of a report stays with its report. Devices that have the message keep it.',
    params: ById,
    body: Type.Object({ seq: Seq, reason: Reason }, closed),
    answers: done('Nothing is left of what it said.'),
    refusals: ['message_unknown'],
  },
  listOperatorActions: {
    at: 'GET /v1/operator/actions',
    summary: 'List what operators did',
    description: 'The latest first. Kept for two years, and as long as a suspension lasts.',
    query: Type.Object(
      {
        limit: pageLimit(50, 100),
        after: Type.Optional(PageCursor),
        user: Type.Optional(Type.With(Uuid, { description: 'Whom it is about.' })),
        operator: Type.Optional(Uuid),
        action: Type.Optional(Action),
        conversation: Type.Optional(Uuid),
      },
      closed,
    ),
    answers: { 200: answered('A page of actions.', ActionPage) },
  },
})
