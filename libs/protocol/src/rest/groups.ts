/** What a group is set to, its owner, and who in it is silenced or banned from it. */
import { Type } from 'typebox'
import { At, groupFields, Permissions, Uuid } from '../fields.ts'
import { limits } from '../limits.ts'
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
  PageCursor,
  pageLimit,
  textOf,
  User,
} from './fields.ts'
import { Placed } from './members.ts'
import { routes } from './route.ts'
import { mutedForEver } from './words.ts'

export const Ban = named('Ban', Type.Object({ user: User, by: Type.Union([Uuid, Type.Null()]), at: At }, closed))
export type Ban = Type.Static<typeof Ban>
const BanPage = Type.Object({ bans: listOf(Ban), next: Type.Optional(PageCursor) }, closed)

const GroupChange = Type.Partial(
  Type.Object({
    description: textOf(limits.descriptionLengthMax),
    permissions: Type.Partial(Permissions, { ...closed, description: 'Omitted permissions stay. For owners.' }),
    slowModeMs: groupFields.slowModeMs,
    newcomerHistory: groupFields.newcomerHistory,
    forwarding: groupFields.forwarding,
    editWindowMs: groupFields.editWindowMs,
    deleteWindowMs: groupFields.deleteWindowMs,
    editHistory: groupFields.editHistory,
  }),
  closed,
)
const Silencing = Type.Object(
  {
    untilMs: Type.Union([Type.Integer({ minimum: 0, maximum: mutedForEver }), Type.Null()], {
      description: `Milliseconds since 1970; ${mutedForEver} means forever. Null ends it.`,
    }),
  },
  closed,
)

export const groups = routes('groups', 'session', {
  changeGroup: {
    at: 'PATCH /v1/conversations/{id}/settings',
    summary: 'Change the settings of a group',
    description:
      'Omitted settings stay. The description requires the `edit` permission; permissions are for owners, all other settings for owners and admins. A window longer than the deployment’s (`EDIT_WINDOW_MS`, `DELETE_WINDOW_MS`) is refused with `field_invalid`. Appends an entry to the log.',
    params: ById,
    body: GroupChange,
    answers: { 200: answered('The changed group.', Conversation) },
    refusals: inGroup,
  },
  handOnGroup: {
    at: 'PUT /v1/conversations/{id}/owner',
    summary: 'Transfer ownership of a group',
    description: 'For owners. The member becomes an owner and the caller an admin, in one entry.',
    params: ById,
    body: Type.Object({ user: Uuid }, closed),
    answers: { 200: Placed },
    refusals: [...inGroup, 'user_unknown'],
  },
  silenceMember: {
    at: 'PUT /v1/conversations/{id}/members/{user}/silence',
    summary: 'Silence a member, or end that',
    description:
      'For owners and admins, for members with a lower role. A silenced member can read, but cannot post or edit messages, even after leaving and rejoining.',
    params: ByMember,
    body: Silencing,
    answers: { 200: Placed },
    refusals: [...inGroup, 'user_unknown'],
  },
  banMember: {
    at: 'PUT /v1/conversations/{id}/bans/{user}',
    summary: 'Ban a user from a group',
    description:
      'For owners and admins, for users with a lower role. A member is removed. A banned user cannot be added or join by a link or request.',
    params: ByMember,
    answers: done('Banned.'),
    refusals: [...inGroup, 'user_unknown', 'last_owner', 'limit_reached'],
  },
  unbanMember: {
    at: 'DELETE /v1/conversations/{id}/bans/{user}',
    summary: 'Lift a ban from a group',
    description: 'For owners and admins. The user can be added or join again.',
    params: ByMember,
    answers: done('Lifted.'),
    refusals: [...inGroup, 'ban_unknown'],
  },
  listBans: {
    at: 'GET /v1/conversations/{id}/bans',
    summary: 'List the bans of a group',
    description: 'For owners and admins. Latest first.',
    params: ById,
    query: Type.Object({ limit: pageLimit(50, 100), after: Type.Optional(PageCursor) }, closed),
    answers: { 200: answered('A page of bans.', BanPage) },
    refusals: inGroup,
  },
})
