/** Links by which people come into a group, and asking to be let in where a link says so. */
import { Type } from 'typebox'
import { JoinRequest } from '../down/join-requests.ts'
import { At, groupFields, Uuid } from '../fields.ts'
import { Conversation } from './conversations.ts'
import {
  answered,
  ById,
  ByMember,
  closed,
  done,
  inGroup,
  listOf,
  named,
  oneOf,
  PageCursor,
  pageLimit,
} from './fields.ts'
import { Placed } from './members.ts'
import { routes } from './route.ts'
import { inviteLinkLifeMsMax, inviteLinkUsesMax } from './words.ts'

const fields = {
  id: Uuid,
  by: Type.With(Uuid, {
    description: 'The creator. The link works while they are a member with the `addMembers` permission.',
  }),
  uses: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()], {
    description: 'How often the link can be used. Null means without limit.',
  }),
  used: Type.Integer({ minimum: 0, description: 'How often it has been used.' }),
  approval: Type.Boolean({ description: 'Users of the link send a join request instead of joining.' }),
  createdAt: At,
  expiresAt: At,
}
export const InviteLink = named('InviteLink', Type.Object(fields, closed))
export type InviteLink = Type.Static<typeof InviteLink>
const NewInviteLink = named(
  'NewInviteLink',
  Type.Object(
    {
      ...fields,
      token: Type.String({ description: 'The secret to share, in a URL of your application. Returned only once.' }),
    },
    closed,
  ),
)
const InviteLinkPage = Type.Object({ links: listOf(InviteLink), next: Type.Optional(PageCursor) }, closed)

const Wanted = Type.Object(
  {
    uses: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: inviteLinkUsesMax,
        description: 'Without limit if omitted.',
      }),
    ),
    lifeMs: Type.Optional(
      Type.Integer({ minimum: 60_000, maximum: inviteLinkLifeMsMax, description: 'A week if omitted.' }),
    ),
    approval: Type.Optional(Type.Boolean({ default: false })),
  },
  closed,
)
const Shown = Type.Object({ token: Type.String({ minLength: 1, maxLength: 64 }) }, closed)

/** What somebody sees of a group that they are not in. */
export const InvitePreview = named(
  'InvitePreview',
  Type.Object(
    {
      conversation: Uuid,
      name: Type.String(),
      description: groupFields.description,
      avatar: groupFields.avatar,
      memberCount: Type.Integer({ minimum: 0 }),
      approval: fields.approval,
      member: Type.Boolean({ description: 'Whether the caller is already a member.' }),
    },
    closed,
  ),
)
export type InvitePreview = Type.Static<typeof InvitePreview>

const Asking = named('JoinRequest', JoinRequest)
const JoinRequestPage = Type.Object({ requests: listOf(Asking), next: Type.Optional(PageCursor) }, closed)
const page = Type.Object({ limit: pageLimit(50, 100), after: Type.Optional(PageCursor) }, closed)

export const inviteLinks = routes('groups', 'session', {
  makeInviteLink: {
    at: 'POST /v1/conversations/{id}/links',
    summary: 'Create an invite link',
    description: 'Requires the `addMembers` permission. The token is returned only once; only a hash of it is stored.',
    params: ById,
    body: Wanted,
    answers: { 201: answered('The link with its token.', NewInviteLink) },
    refusals: [...inGroup, 'limit_reached'],
  },
  listInviteLinks: {
    at: 'GET /v1/conversations/{id}/links',
    summary: 'List the invite links of a group',
    description: 'Requires the `addMembers` permission. Latest first, including used-up links, without expired ones.',
    params: ById,
    query: page,
    answers: { 200: answered('A page of links.', InviteLinkPage) },
    refusals: inGroup,
  },
  revokeInviteLink: {
    at: 'DELETE /v1/conversations/{id}/links/{link}',
    summary: 'Revoke an invite link',
    description: 'Requires the `addMembers` permission. Members who joined by it stay.',
    params: Type.Object({ id: Uuid, link: Uuid }, closed),
    answers: done(),
    refusals: [...inGroup, 'invitation_unknown'],
  },
  previewInviteLink: {
    at: 'POST /v1/links/preview',
    summary: 'Preview the group of an invite link',
    description: 'Shows the group without joining it. Rate limited.',
    body: Shown,
    answers: { 200: answered('The group.', InvitePreview) },
    refusals: ['invitation_invalid', 'banned'],
  },
  joinByInviteLink: {
    at: 'POST /v1/links/join',
    summary: 'Join a group by an invite link',
    description:
      'Members who use a link stay members, and no use is counted. A link with `approval` sends a join request; sending it again changes nothing.',
    body: Shown,
    answers: {
      200: answered('The caller is a member of the group.', Conversation),
      202: answered('The join request.', Asking),
    },
    refusals: ['invitation_invalid', 'banned', 'conversation_full', 'request_declined', 'limit_reached'],
  },
})

export const joinRequests = routes('groups', 'session', {
  listJoinRequests: {
    at: 'GET /v1/conversations/{id}/join-requests',
    summary: 'List join requests of a group',
    description: 'Requires the `addMembers` permission. Latest first.',
    params: ById,
    query: page,
    answers: { 200: answered('A page of requests.', JoinRequestPage) },
    refusals: inGroup,
  },
  approveJoinRequest: {
    at: 'POST /v1/conversations/{id}/join-requests/{user}/approve',
    summary: 'Approve a join request',
    description: 'Requires the `addMembers` permission. The user becomes a member.',
    params: ByMember,
    answers: { 200: Placed },
    refusals: [...inGroup, 'request_unknown', 'conversation_full', 'limit_reached'],
  },
  declineJoinRequest: {
    at: 'POST /v1/conversations/{id}/join-requests/{user}/decline',
    summary: 'Decline a join request',
    description: 'Requires the `addMembers` permission. The user cannot ask again for a week.',
    params: ByMember,
    answers: done(),
    refusals: [...inGroup, 'request_unknown'],
  },
  listOwnJoinRequests: {
    at: 'GET /v1/join-requests',
    summary: 'List my join requests',
    description: 'Open requests that the caller has sent, or can answer in any group. Latest first.',
    query: Type.Object({ direction: oneOf(['sent', 'received']), ...page.properties }, closed),
    answers: { 200: answered('A page of requests.', JoinRequestPage) },
  },
  withdrawJoinRequest: {
    at: 'DELETE /v1/join-requests/{id}',
    summary: 'Withdraw a join request',
    description: '`id` is that of the group.',
    params: ById,
    answers: done(),
    refusals: ['request_unknown'],
  },
})
