/** Conversations, their members, and their log. */
import type { Role } from '@flotilla/protocol'
import type { Ask, BodyOf, Page, QueryOf } from './ask.ts'

/** Which conversations a list has; all, where nothing is said. */
export interface ConversationFilter {
  readonly archived?: boolean
  readonly pinned?: boolean
}

export type HistoryRange = QueryOf<'GET /v1/conversations/{id}/messages'>

export const createConversations = (ask: Ask) => ({
  /**
   * Opens the direct conversation with a user, or returns the existing one; with one’s own id that with oneself. `pending` means that the user is asked first:
   * few messages can be sent until they accept. Accepts an open request from that user.
   * @throws FlotillaError user_unknown, blocked, contacts_only, limit_reached
   */
  createDirect: (user: string) => ask('POST /v1/conversations', { body: { kind: 'direct', user } }),
  /** Creates a group, with the caller as its owner. Some members may be asked first. @throws FlotillaError user_unknown, conversation_full */
  createGroup: (name: string, members: readonly string[]) =>
    ask('POST /v1/conversations', { body: { kind: 'group', name, members } }),
  /**
   * Most recently active first; it continues at `next`. With `pinned: true` only the pinned ones: show them above the
   * others, lowest `settings.pinned` first.
   */
  conversations: ({ archived, pinned, ...page }: Page & ConversationFilter = {}) =>
    ask('GET /v1/conversations', {
      query: {
        ...page,
        ...(archived === undefined ? {} : { archived: `${archived}` as const }),
        ...(pinned === undefined ? {} : { pinned: `${pinned}` as const }),
      },
    }),
  /** What waits in all conversations and in the threads there that one follows, with the totals; it goes on at `next`. */
  unread: (page: Pick<Page, 'after'> = {}) => ask('GET /v1/unread', { query: page }),
  /**
   * Mutes, archives, pins or marks a conversation as unread, or says what tells of it. Nobody else hears.
   * @throws FlotillaError limit_reached (pinned), not_a_member
   */
  changeSettings: (conversation: string, change: BodyOf<'PATCH /v1/conversations/{id}/preferences'>) =>
    ask('PATCH /v1/conversations/{id}/preferences', { id: conversation, body: change }),
  /** @throws FlotillaError conversation_unknown, not_a_member */
  conversation: (id: string) => ask('GET /v1/conversations/{id}', { id }),
  /** Renames a group. @throws FlotillaError role_insufficient, not_a_group, not_a_member */
  rename: (conversation: string, name: string) =>
    ask('PATCH /v1/conversations/{id}', { id: conversation, body: { name } }),
  /**
   * Makes messages that are posted from now on disappear so many milliseconds after they were sent; null turns that off.
   * @throws FlotillaError role_insufficient, blocked, not_a_member
   */
  setTimer: (conversation: string, timerMs: number | null) =>
    ask('PUT /v1/conversations/{id}/timer', { id: conversation, body: { timerMs } }),
  /** Mutes until then (milliseconds since 1970, or `mutedForEver`); null unmutes. Other members are not told. */
  mute: (conversation: string, until: number | null) =>
    ask('PUT /v1/conversations/{id}/mute', { id: conversation, body: { untilMs: until } }),

  /** The members and their receipts; it continues at `next`. */
  members: (conversation: string, page: Page = {}) =>
    ask('GET /v1/conversations/{id}/members', { id: conversation, query: page }),
  /**
   * Adds members to a group. Users who want to be asked first, or have left it before, are in `asked`.
   * @throws FlotillaError role_insufficient, already_a_member, conversation_full, not_a_group, user_unknown,
   *   request_declined, limit_reached
   */
  addMembers: (conversation: string, users: readonly string[]) =>
    ask('POST /v1/conversations/{id}/members', { id: conversation, body: { users } }),
  /** Remove yourself to leave. @throws FlotillaError role_insufficient, last_owner, not_a_group */
  removeMember: (conversation: string, user: string) =>
    ask('DELETE /v1/conversations/{id}/members/{user}', { id: conversation, user }),
  /** @throws FlotillaError role_insufficient, last_owner, not_a_group */
  changeRole: (conversation: string, user: string, role: Role) =>
    ask('PATCH /v1/conversations/{id}/members/{user}', { id: conversation, user, body: { role } }),

  /** Entries in ascending order: those after a seq, or the last ones before it; the latest by default. */
  history: (conversation: string, range: HistoryRange = {}) =>
    ask('GET /v1/conversations/{id}/messages', { id: conversation, query: range }),
  /** The pinned messages, most recently pinned first. See `client.pin`. */
  pins: async (conversation: string) => (await ask('GET /v1/conversations/{id}/pins', { id: conversation })).messages,
  /** Pins without the socket. @throws FlotillaError role_insufficient, message_unknown, limit_reached */
  pin: (conversation: string, seq: number) => ask('PUT /v1/conversations/{id}/pins/{seq}', { id: conversation, seq }),
  unpin: (conversation: string, seq: number) =>
    ask('DELETE /v1/conversations/{id}/pins/{seq}', { id: conversation, seq }),
  /** Who has reacted to a message, the last first; `client.react` reacts. It goes on at `next`. */
  reactions: (
    conversation: string,
    seq: number,
    query: QueryOf<'GET /v1/conversations/{id}/messages/{seq}/reactions'> = {},
  ) => ask('GET /v1/conversations/{id}/messages/{seq}/reactions', { id: conversation, seq, query }),
  /** Reacts without the socket. @throws FlotillaError field_invalid, message_unknown, limit_reached */
  addReaction: (conversation: string, seq: number, emoji: string) =>
    ask('PUT /v1/conversations/{id}/messages/{seq}/reactions/{emoji}', { id: conversation, seq, emoji }),
  removeReaction: (conversation: string, seq: number, emoji: string) =>
    ask('DELETE /v1/conversations/{id}/messages/{seq}/reactions/{emoji}', { id: conversation, seq, emoji }),
  /** The starred messages of all conversations, the one that was starred last first. It goes on at `next`. */
  stars: (page: Page = {}) => ask('GET /v1/stars', { query: page }),
  /** Marks a message for oneself: one's other devices hear `starred`. @throws FlotillaError message_unknown, limit_reached */
  star: (conversation: string, seq: number) =>
    ask('PUT /v1/conversations/{id}/messages/{seq}/star', { id: conversation, seq }),
  unstar: (conversation: string, seq: number) =>
    ask('DELETE /v1/conversations/{id}/messages/{seq}/star', { id: conversation, seq }),
  /** Posts without the socket and the outbox. Repeat it with the same clientId until it succeeds. */
  post: (conversation: string, message: BodyOf<'POST /v1/conversations/{id}/messages'>) =>
    ask('POST /v1/conversations/{id}/messages', { id: conversation, body: message }),
  /** Updates receipts without the socket. The client does so by itself. */
  receipts: (conversation: string, upTo: BodyOf<'PUT /v1/conversations/{id}/receipts'>) =>
    ask('PUT /v1/conversations/{id}/receipts', { id: conversation, body: upTo }),
})
