/** Conversations, their members, and their log. */
import type { Role } from '@flotilla/protocol'
import type { Ask, BodyOf, Page, QueryOf } from './ask.ts'

export type HistoryRange = QueryOf<'GET /v1/conversations/{id}/messages'>

export const createConversations = (ask: Ask) => ({
  /**
   * The direct conversation with a person; the one that exists is given back. `pending` says that the person is asked
   * first: few messages may be sent before they accept. What one was asked into oneself is accepted by it.
   * @throws FlotillaError user_unknown, direct_closed, direct_refused, too_many
   */
  createDirect: (user: string) => ask('POST /v1/conversations', { body: { kind: 'direct', user } }),
  /** A group with these people, oneself as its owner. Some may be asked first. @throws FlotillaError user_unknown, conversation_full */
  createGroup: (name: string, members: readonly string[]) =>
    ask('POST /v1/conversations', { body: { kind: 'group', name, members } }),
  /** The most recent first. `next` of one page is `after` of the one that follows it. */
  conversations: (page: Page = {}) => ask('GET /v1/conversations', { query: page }),
  /** @throws FlotillaError conversation_unknown, not_a_member */
  conversation: (id: string) => ask('GET /v1/conversations/{id}', { id }),
  /** Renames a group. @throws FlotillaError role_insufficient, direct_fixed, not_a_member */
  rename: (conversation: string, name: string) =>
    ask('PATCH /v1/conversations/{id}', { id: conversation, body: { name } }),
  /** No push tells of it until then (milliseconds since 1970, or `mutedForEver`); null ends that. Nobody else hears. */
  mute: (conversation: string, until: number | null) =>
    ask('PUT /v1/conversations/{id}/mute', { id: conversation, body: { untilMs: until } }),

  /** Who is in it and how far they are; it goes on at `next`. */
  members: (conversation: string, page: Page = {}) =>
    ask('GET /v1/conversations/{id}/members', { id: conversation, query: page }),
  /**
   * Adds people to a group. Those who want to be asked first, or have left it before, are in `asked`.
   * @throws FlotillaError role_insufficient, already_a_member, conversation_full, direct_fixed, user_unknown,
   *   request_declined, too_many
   */
  addMembers: (conversation: string, users: readonly string[]) =>
    ask('POST /v1/conversations/{id}/members', { id: conversation, body: { users } }),
  /** Removing oneself is leaving. @throws FlotillaError role_insufficient, last_owner, direct_fixed */
  removeMember: (conversation: string, user: string) =>
    ask('DELETE /v1/conversations/{id}/members/{user}', { id: conversation, user }),
  /** @throws FlotillaError role_insufficient, last_owner, direct_fixed */
  changeRole: (conversation: string, user: string, role: Role) =>
    ask('PATCH /v1/conversations/{id}/members/{user}', { id: conversation, user, body: { role } }),

  /** Entries in rising order: those after a seq, or the last ones before it; without either, the latest. */
  history: (conversation: string, range: HistoryRange = {}) =>
    ask('GET /v1/conversations/{id}/messages', { id: conversation, query: range }),
  /** The pinned messages, the one that was pinned last first. `client.pin` pins. */
  pins: async (conversation: string) => (await ask('GET /v1/conversations/{id}/pins', { id: conversation })).messages,
  /** Pins without the socket. @throws FlotillaError role_insufficient, message_unknown, too_many */
  pin: (conversation: string, seq: number) => ask('PUT /v1/conversations/{id}/pins/{seq}', { id: conversation, seq }),
  unpin: (conversation: string, seq: number) =>
    ask('DELETE /v1/conversations/{id}/pins/{seq}', { id: conversation, seq }),
  /** Posts without the socket and without the outbox. Repeat it with the same clientId until it is answered. */
  post: (conversation: string, message: BodyOf<'POST /v1/conversations/{id}/messages'>) =>
    ask('POST /v1/conversations/{id}/messages', { id: conversation, body: message }),
  /** Says without the socket how far one is. The client says it by itself. */
  receipts: (conversation: string, upTo: BodyOf<'PUT /v1/conversations/{id}/receipts'>) =>
    ask('PUT /v1/conversations/{id}/receipts', { id: conversation, body: upTo }),
})
