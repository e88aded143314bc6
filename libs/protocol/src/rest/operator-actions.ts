/** Operator actions on accounts and messages, and their audit trail. */
import { Type } from 'typebox'
import { At, Seq, Uuid } from '../fields.ts'
import { limits } from '../limits.ts'
import { answered, ById, closed, done, listOf, named, oneOf, PageCursor, pageLimit, User } from './fields.ts'
import { routes } from './route.ts'
import * as words from './words.ts'

const Reason = Type.String({
  minLength: 1,
  maxLength: limits.reportCommentLengthMax,
  description: 'The reason. Recorded in the audit trail and shown to the user.',
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
        description: 'Additional details.',
      }),
    },
    { ...closed, description: 'Who did what to whom, when and why.' },
  ),
)
export type OperatorActionItem = Type.Static<typeof OperatorAction>
const ActionPage = Type.Object({ actions: listOf(OperatorAction), next: Type.Optional(PageCursor) }, closed)

const AccountStatus = named(
  'AccountStatus',
  Type.Object(
    {
      user: User,
      createdAt: At,
      sessions: Type.Integer({ minimum: 0, description: 'Active sessions.' }),
      suspended: Type.Boolean(),
      until: Type.Optional(Type.With(At, { description: 'The end of the suspension; missing if permanent.' })),
      banned: Type.Boolean({ description: 'The username, addresses and identities stay blocked.' }),
      erased: Type.Boolean(),
    },
    closed,
  ),
)
export type AccountStatus = Type.Static<typeof AccountStatus>

export const operatorActions = routes('operators', 'operator', {
  getAccountStatus: {
    at: 'GET /v1/operator/users/{id}',
    summary: 'Get the status of an account',
    description: 'Whether it is suspended or banned. Look up the user id with `GET /v1/users`.',
    params: ById,
    answers: { 200: answered('The account status.', AccountStatus) },
    refusals: ['user_unknown'],
  },
  suspendUser: {
    at: 'POST /v1/operator/users/{id}/suspend',
    summary: 'Suspend a user',
    description:
      'Ends all sessions and prevents signing in until then; sockets close within two seconds. Replaces an existing suspension or ban. The user is notified by email.',
    params: ById,
    body: Type.Object(
      {
        reason: Reason,
        until: Type.Optional(Type.With(At, { description: 'Within ten years. Permanent if omitted.' })),
      },
      closed,
    ),
    answers: done('Suspended.'),
    refusals: ['operator_protected', 'user_unknown'],
  },
  banUser: {
    at: 'POST /v1/operator/users/{id}/ban',
    summary: 'Ban a user',
    description:
      'A permanent suspension that also blocks the account’s username, addresses and identities from registering again, even after the account is deleted.',
    params: ById,
    body: WithReason,
    answers: done('Suspended.'),
    refusals: ['operator_protected', 'user_unknown'],
  },
  liftSuspension: {
    at: 'POST /v1/operator/users/{id}/lift',
    summary: 'Lift a suspension or a ban',
    description: 'The user can sign in again.',
    params: ById,
    body: WithReason,
    answers: done('Lifted.'),
    refusals: ['operator_protected', 'suspension_unknown'],
  },
  signOutUser: {
    at: 'POST /v1/operator/users/{id}/sign-out',
    summary: 'Sign a user out everywhere',
    description: 'Ends all sessions and pending sign-ins. The user can sign in again.',
    params: ById,
    body: WithReason,
    answers: done('Signed out.'),
    refusals: ['operator_protected', 'user_unknown'],
  },
  removeMessage: {
    at: 'POST /v1/operator/conversations/{id}/remove-message',
    summary: 'Remove a message',
    description:
      'Replaces the content with a removal notice; the entry keeps its seq. Pending push notifications are dropped. Reports keep their copy, and devices that already have the message keep it.',
    params: ById,
    body: Type.Object({ seq: Seq, reason: Reason }, closed),
    answers: done('Removed.'),
    refusals: ['message_unknown'],
  },
  listOperatorActions: {
    at: 'GET /v1/operator/actions',
    summary: 'List operator actions',
    description: 'Newest first. Kept for two years, or for as long as the suspension lasts.',
    query: Type.Object(
      {
        limit: pageLimit(50, 100),
        after: Type.Optional(PageCursor),
        user: Type.Optional(Type.With(Uuid, { description: 'The user concerned.' })),
        operator: Type.Optional(Uuid),
        action: Type.Optional(Action),
        conversation: Type.Optional(Uuid),
      },
      closed,
    ),
    answers: { 200: answered('A page of actions.', ActionPage) },
  },
})
