/** What a group is set to, who is silenced in it or kept out of it, and the ways into it. */
import type { FileBytes } from '../http.ts'
import type { Ask, BodyOf, Page } from './ask.ts'
import { pictureFile } from './profile.ts'

export const createGroups = (ask: Ask) => ({
  /** What is left out stays. @throws FlotillaError role_insufficient, not_a_group, not_a_member */
  change: (conversation: string, change: BodyOf<'PATCH /v1/conversations/{id}/settings'>) =>
    ask('PATCH /v1/conversations/{id}/settings', { id: conversation, body: change }),
  /** As one's own picture. @throws FlotillaError role_insufficient, image_invalid, overloaded */
  setAvatar: async (conversation: string, picture: FileBytes) =>
    ask('PUT /v1/conversations/{id}/avatar', { id: conversation, ...pictureFile(picture) }),
  /** From a place that was promised for a picture of one's own. @throws FlotillaError upload_unknown, image_invalid */
  setAvatarFromUpload: (conversation: string, upload: string) =>
    ask('PUT /v1/conversations/{id}/avatar/from-upload', { id: conversation, body: { upload } }),
  /** @throws FlotillaError role_insufficient */
  removeAvatar: (conversation: string) => ask('DELETE /v1/conversations/{id}/avatar', { id: conversation }),
  /** The member is an owner then, and oneself an admin. @throws FlotillaError role_insufficient, user_unknown */
  handOn: (conversation: string, user: string) =>
    ask('PUT /v1/conversations/{id}/owner', { id: conversation, body: { user } }),
  /** They read and do not post until then (milliseconds since 1970, or `mutedForEver`); null ends that. @throws FlotillaError role_insufficient, user_unknown */
  silence: (conversation: string, user: string, until: number | null) =>
    ask('PUT /v1/conversations/{id}/members/{user}/silence', { id: conversation, user, body: { untilMs: until } }),
  /** Removes them, if they are in it, and lets them in by no way. @throws FlotillaError role_insufficient, limit_reached */
  ban: (conversation: string, user: string) =>
    ask('PUT /v1/conversations/{id}/bans/{user}', { id: conversation, user }),
  /** @throws FlotillaError role_insufficient, ban_unknown */
  unban: (conversation: string, user: string) =>
    ask('DELETE /v1/conversations/{id}/bans/{user}', { id: conversation, user }),
  /** The latest first; it goes on at `next`. @throws FlotillaError role_insufficient */
  bans: (conversation: string, page: Page = {}) =>
    ask('GET /v1/conversations/{id}/bans', { id: conversation, query: page }),

  /** The token in the answer is shown this once. @throws FlotillaError role_insufficient, limit_reached */
  makeLink: (conversation: string, wanted: BodyOf<'POST /v1/conversations/{id}/links'> = {}) =>
    ask('POST /v1/conversations/{id}/links', { id: conversation, body: wanted }),
  /** The latest first; it goes on at `next`. @throws FlotillaError role_insufficient */
  links: (conversation: string, page: Page = {}) =>
    ask('GET /v1/conversations/{id}/links', { id: conversation, query: page }),
  /** @throws FlotillaError role_insufficient, invitation_unknown */
  revokeLink: (conversation: string, link: string) =>
    ask('DELETE /v1/conversations/{id}/links/{link}', { id: conversation, link }),
  /** What a link shows to whoever has it. @throws FlotillaError invitation_invalid, banned, rate_limited */
  preview: (token: string) => ask('POST /v1/links/preview', { body: { token } }),
  /** One is in the group then, or has asked to be, where the link says so. @throws FlotillaError invitation_invalid, banned, conversation_full, request_declined, limit_reached */
  join: (token: string) => ask('POST /v1/links/join', { body: { token } }),

  /** Who asks to join a group; the latest first. @throws FlotillaError role_insufficient */
  joinRequests: (conversation: string, page: Page = {}) =>
    ask('GET /v1/conversations/{id}/join-requests', { id: conversation, query: page }),
  /** What one sent, or what one may decide on in any group; the latest first. */
  ownJoinRequests: (page: Page & { readonly direction: 'sent' | 'received' }) =>
    ask('GET /v1/join-requests', { query: page }),
  /** @throws FlotillaError role_insufficient, request_unknown, conversation_full, limit_reached */
  approve: (conversation: string, user: string) =>
    ask('POST /v1/conversations/{id}/join-requests/{user}/approve', { id: conversation, user }),
  /** They may not ask again for a time. @throws FlotillaError role_insufficient, request_unknown */
  decline: (conversation: string, user: string) =>
    ask('POST /v1/conversations/{id}/join-requests/{user}/decline', { id: conversation, user }),
  /** Takes back that one asked. @throws FlotillaError request_unknown */
  withdraw: (conversation: string) => ask('DELETE /v1/join-requests/{id}', { id: conversation }),
})
