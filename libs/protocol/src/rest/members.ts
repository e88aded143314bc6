/** Group members: list, add, remove, leave, roles. Each change returns its seq in the log. */
import { Type } from 'typebox'
import { At, Cursor, Role, Seq, Uuid } from '../fields.ts'
import { limits } from '../limits.ts'
import { answered, asMember, ById, ByMember, closed, inGroup, listOf, pageLimit, User } from './fields.ts'
import { routes } from './route.ts'

export const Member = Type.Object(
  {
    user: User,
    role: Role,
    silencedUntil: Type.Optional(Type.With(At, { description: 'The member cannot post until then.' })),
    deliveredSeq: Type.Optional(
      Type.With(Cursor, {
        description: 'Missing if the user hides their presence from the caller (`lastSeenVisibility`).',
      }),
    ),
    readSeq: Type.Optional(
      Type.With(Cursor, { description: 'Missing if the user hides read receipts from the caller.' }),
    ),
  },
  closed,
)
export type Member = Type.Static<typeof Member>
const MemberPage = Type.Object({ members: listOf(Member), next: Type.Optional(Uuid) }, closed)

export const Placed = Type.Object(
  { seq: Seq },
  { ...closed, description: 'The seq of the entry that records the change.' },
)
const Added = Type.Object(
  {
    seq: Type.With(Seq, { description: 'The seq of the entry; the head if nobody has joined yet.' }),
    asked: listOf(Uuid, { description: 'Users who were asked first; they join when they accept.' }),
  },
  { ...closed, description: 'Everyone who can be added directly has joined.' },
)

export const members = routes('members', 'session', {
  listMembers: {
    at: 'GET /v1/conversations/{id}/members',
    summary: 'List members',
    description: 'Ordered by user id, with receipts where the caller may see them.',
    params: ById,
    query: Type.Object({ limit: pageLimit(100, 200), after: Type.Optional(Uuid) }, closed),
    answers: { 200: answered('A page of members.', MemberPage) },
    refusals: asMember,
  },
  addMembers: {
    at: 'POST /v1/conversations/{id}/members',
    summary: 'Add members to a group',
    description:
      'Requires the `addMembers` permission. New members see the log from this entry on, and the history shown to new members. Users who want to be asked first, or have left the group before, receive a request instead (`GET /v1/conversation-requests`).',
    params: ById,
    body: Type.Object({ users: listOf(Uuid, { minItems: 1, maxItems: limits.membersAtOnceMax }) }, closed),
    answers: { 200: Added },
    refusals: [
      ...asMember,
      'role_insufficient',
      'user_unknown',
      'already_a_member',
      'banned',
      'blocked',
      'contacts_only',
      'request_declined',
      'limit_reached',
      'conversation_full',
      'not_a_group',
    ],
  },
  removeMember: {
    at: 'DELETE /v1/conversations/{id}/members/{user}',
    summary: 'Remove a member or leave',
    description: 'Remove yourself to leave. This entry is the last one the removed member receives.',
    params: ByMember,
    answers: { 200: Placed },
    refusals: [...inGroup, 'user_unknown', 'last_owner'],
  },
  changeMemberRole: {
    at: 'PATCH /v1/conversations/{id}/members/{user}',
    summary: 'Change a member’s role',
    description: 'For owners. A group keeps at least one owner.',
    params: ByMember,
    body: Type.Object({ role: Role }, closed),
    answers: { 200: Placed },
    refusals: [...inGroup, 'user_unknown', 'last_owner'],
  },
})
