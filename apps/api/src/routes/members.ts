/** Who is in a group: paging, adding, removing, leaving, roles. Each change answers with its place in the log. */
import { conversations } from '@flotilla/chat'
import { limits } from '@flotilla/protocol'
import { Role, Uuid } from '@flotilla/protocol/schemas'
import { Type } from 'typebox'
import type { Api, RouteDeps } from '../app.ts'
import { bodyCodes, refusals } from '../refusals.ts'
import { Added, answered, ById, MemberPage, Placed, pageLimit } from '../shapes.ts'

const closed = { additionalProperties: false }
const pageDefault = 100
const pageMax = 200
const MemberParams = Type.Object({ id: Uuid, user: Uuid }, closed)

export function memberRoutes(app: Api, deps: RouteDeps): void {
  const { chat, authenticate: preParsing } = deps
  const shared = { tags: ['members'], security: [{ accessToken: [] }] }
  const inside = ['unauthenticated', 'conversation_unknown', 'not_a_member'] as const

  app.get(
    '/conversations/:id/members',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'listMembers',
        summary: 'List the members',
        description: 'In the order of their ids, with how far each has received and read, where the caller may know.',
        params: ById,
        querystring: Type.Object({ limit: pageLimit(pageDefault, pageMax), after: Type.Optional(Uuid) }, closed),
        response: { 200: answered('A page of members.', MemberPage), ...refusals(...inside) },
      },
    },
    async request => {
      const { limit = pageDefault, after } = request.query
      const page = { conversation: request.params.id, limit, ...(after === undefined ? {} : { after }) }
      return conversations.members(chat, request.caller.user, page)
    },
  )

  app.post(
    '/conversations/:id/members',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'addMembers',
        summary: 'Add people to a group',
        description:
          'For owners and admins. Those who are added see the entries from this one on. Who wants to be asked first, or has left the group before, gets a request instead (`GET /v1/conversation-requests`).',
        params: ById,
        body: Type.Object({ users: Type.Array(Uuid, { minItems: 1, maxItems: limits.membersAtOnceMax }) }, closed),
        response: {
          200: Added,
          ...refusals(
            ...bodyCodes,
            ...inside,
            'role_insufficient',
            'user_unknown',
            'already_a_member',
            'direct_closed',
            'direct_refused',
            'request_declined',
            'too_many',
            'conversation_full',
            'direct_fixed',
          ),
        },
      },
    },
    async request => {
      const { users } = request.body
      return conversations.addMembers(chat, request.caller.user, { conversation: request.params.id, users })
    },
  )

  app.delete(
    '/conversations/:id/members/:user',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'removeMember',
        summary: 'Remove a member, or leave',
        description: 'Removing oneself is leaving. Whoever is removed receives this entry as the last one.',
        params: MemberParams,
        response: {
          200: Placed,
          ...refusals(...inside, 'role_insufficient', 'user_unknown', 'direct_fixed', 'last_owner'),
        },
      },
    },
    async request => {
      const { id: conversation, user } = request.params
      return conversations.removeMember(chat, request.caller.user, { conversation, user })
    },
  )

  app.patch(
    '/conversations/:id/members/:user',
    {
      preParsing,
      schema: {
        ...shared,
        operationId: 'changeRole',
        summary: 'Change the role of a member',
        description: 'For owners. A group keeps at least one owner: hand the role on before giving it up.',
        params: MemberParams,
        body: Type.Object({ role: Role }, closed),
        response: {
          200: Placed,
          ...refusals(...bodyCodes, ...inside, 'role_insufficient', 'user_unknown', 'direct_fixed', 'last_owner'),
        },
      },
    },
    async request => {
      const { id: conversation, user } = request.params
      return conversations.changeRole(chat, request.caller.user, { conversation, user, role: request.body.role })
    },
  )
}
