/** Who is in a group: paging, adding, removing, leaving, roles. Each change answers with its place in the log. */
import { Type } from 'typebox'
import { Cursor, Role, Seq, Uuid } from '../fields.ts'
import { limits } from '../limits.ts'
import { answered, ById, closed, listOf, pageLimit, User } from './fields.ts'
import { routes } from './route.ts'

export const Member = Type.Object(
  {
    user: User,
    role: Role,
    deliveredSeq: Type.Optional(
      Type.With(Cursor, {
        description: 'Left out when the person does not show the caller when they are here (`lastSeenTo`).',
      }),
    ),
    readSeq: Type.Optional(
      Type.With(Cursor, { description: 'Left out when the person does not show it to the caller.' }),
    ),
  },
  closed,
)
export type Member = Type.Static<typeof Member>
const MemberPage = Type.Object({ members: listOf(Member), next: Type.Optional(Uuid) }, closed)

const Placed = Type.Object(
  { seq: Seq },
  { ...closed, description: 'The change is an entry of the conversation; this is its place.' },
)
const Added = Type.Object(
  {
    seq: Type.With(Seq, { description: 'The place of the entry; the head where nobody has joined yet.' }),
    asked: listOf(Uuid, { description: 'Those who are asked first: they join when they accept.' }),
  },
  { ...closed, description: 'Those who let themselves be added have joined.' },
)

const params = Type.Object({ id: Uuid, user: Uuid }, closed)
const inside = ['conversation_unknown', 'not_a_member'] as const

export const members = routes('members', 'session', {
  listMembers: {
    at: 'GET /v1/conversations/{id}/members',
    summary: 'List the members',
    description: 'In the order of their ids, with how far each has received and read, where the caller may know.',
    params: ById,
    query: Type.Object({ limit: pageLimit(100, 200), after: Type.Optional(Uuid) }, closed),
    answers: { 200: answered('A page of members.', MemberPage) },
    refusals: inside,
  },
  addMembers: {
    at: 'POST /v1/conversations/{id}/members',
    summary: 'Add people to a group',
    description:
      'For owners and admins. Those who are added see the entries from this one on. Who wants to be asked first, or has left the group before, gets a request instead (`GET /v1/conversation-requests`).',
    params: ById,
    body: Type.Object({ users: listOf(Uuid, { minItems: 1, maxItems: limits.membersAtOnceMax }) }, closed),
    answers: { 200: Added },
    refusals: [
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
    ],
  },
  removeMember: {
    at: 'DELETE /v1/conversations/{id}/members/{user}',
    summary: 'Remove a member, or leave',
    description: 'Removing oneself is leaving. Whoever is removed receives this entry as the last one.',
    params,
    answers: { 200: Placed },
    refusals: [...inside, 'role_insufficient', 'user_unknown', 'direct_fixed', 'last_owner'],
  },
  changeRole: {
    at: 'PATCH /v1/conversations/{id}/members/{user}',
    summary: 'Change the role of a member',
    description: 'For owners. A group keeps at least one owner: hand the role on before giving it up.',
    params,
    body: Type.Object({ role: Role }, closed),
    answers: { 200: Placed },
    refusals: [...inside, 'role_insufficient', 'user_unknown', 'direct_fixed', 'last_owner'],
  },
})
