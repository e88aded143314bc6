/**
 * The REST API, typed: one method a URL, and its answers as the API gives them. What every chat needs is here; the rest
 * stands by feature in rest/.
 */
import type { Body, EntryOf, ReplyOf, Role } from '@flotilla/protocol'
import type { Call } from './http.ts'
import { createAccount } from './rest/account.ts'
import { createBlocks } from './rest/blocks.ts'
import { createContacts } from './rest/contacts.ts'
import { createConversationRequests } from './rest/conversation-requests.ts'
import { createDevices } from './rest/devices.ts'
import { createFactors } from './rest/factors.ts'
import { createIdentities } from './rest/identities.ts'
import { createInvitations } from './rest/invitations.ts'
import { createNotifications } from './rest/notifications.ts'
import { createPasskeys } from './rest/passkeys.ts'
import { createPeople, type Me, type Profile, type User } from './rest/people.ts'
import { createProfile } from './rest/profile.ts'
import { createReports } from './rest/reports.ts'
import { createSessions } from './rest/sessions.ts'
import { createSigned, type GetToken, type Page } from './rest/signed.ts'

export interface Member {
  readonly user: User
  readonly role: Role
  /** Left out when one of the two has blocked the other. */
  readonly deliveredSeq?: number
  /** Left out when the person does not show it. */
  readonly readSeq?: number
}

export interface Conversation {
  readonly id: string
  readonly kind: 'direct' | 'group'
  readonly name?: string
  readonly head: number
  readonly headAt: number
  readonly role: Role
  readonly joinedSeq: number
  readonly deliveredSeq: number
  readonly readSeq: number
  readonly unread: number
  /** No push tells of it until then: milliseconds since 1970. */
  readonly mutedUntil?: number
  readonly memberCount: number
  /** The other has not accepted the direct conversation yet: named among `members`, but not in it. */
  readonly pending?: boolean
  /** Of direct conversations and small groups; page `members` for the others. */
  readonly members?: readonly Pick<Member, 'user' | 'role'>[]
  readonly lastMessage?: EntryOf<'message.new'>
}

/** Where to connect, and the ticket for it. */
export interface ConnectAnswer {
  /** The best first. */
  readonly urls: readonly { readonly url: string; readonly region: string }[]
  readonly ticket: string
  readonly ticketExpiresInMs: number
  readonly protocol: number
  readonly epoch: number
}

export interface HistoryRange {
  readonly after?: number
  readonly before?: number
  readonly limit?: number
  /** How large a page may be; one entry always fits. */
  readonly bytesMax?: number
}

/** The end of the year 9999, for `mute`: what is muted until then stays so. */
export const mutedForEver = 253_402_300_799_999

export type Rest = ReturnType<typeof createRest>

export function createRest(call: Call, getToken: GetToken) {
  const signed = createSigned(call, getToken)
  const at = (conversation: string, more = '') => `/v1/conversations/${encodeURIComponent(conversation)}${more}`
  const member = (conversation: string, user: string) => at(conversation, `/members/${encodeURIComponent(user)}`)

  return {
    /** Oneself. */
    me: () => signed<Me>('GET', '/v1/me'),
    /** A person by id. @throws FlotillaError user_unknown */
    user: (id: string) => signed<Profile>('GET', `/v1/users/${encodeURIComponent(id)}`),
    /** A person by the whole username. @throws FlotillaError user_unknown */
    userByName: (username: string) => signed<User>('GET', '/v1/users', { query: { username } }),
    /** Where to connect. The client asks by itself. */
    connect: () => signed<ConnectAnswer>('GET', '/v1/connect'),

    /**
     * The direct conversation with a person; the one that exists is given back. `pending` says that the person is asked
     * first: few messages may be sent before they accept. What one was asked into oneself is accepted by it.
     * @throws FlotillaError user_unknown, direct_closed, direct_refused, too_many
     */
    createDirect: (user: string) =>
      signed<Conversation>('POST', '/v1/conversations', { body: { kind: 'direct', user } }),
    /** A group with these people, oneself as its owner. Some may be asked first. @throws FlotillaError user_unknown, conversation_full */
    createGroup: (name: string, members: readonly string[]) =>
      signed<Conversation>('POST', '/v1/conversations', { body: { kind: 'group', name, members } }),
    /** The most recent first. `next` of one page is `after` of the one that follows it. */
    conversations: (page: Page = {}) =>
      signed<{ conversations: Conversation[]; next?: string }>('GET', '/v1/conversations', { query: { ...page } }),
    /** @throws FlotillaError conversation_unknown, not_a_member */
    conversation: (id: string) => signed<Conversation>('GET', at(id)),
    /** Renames a group. @throws FlotillaError role_insufficient, direct_fixed, not_a_member */
    rename: (conversation: string, name: string) => signed<Conversation>('PATCH', at(conversation), { body: { name } }),
    /** No push tells of it until then (milliseconds since 1970, or `mutedForEver`); null ends that. Nobody else hears. */
    mute: (conversation: string, until: number | null) =>
      signed<undefined>('PUT', at(conversation, '/mute'), { body: { untilMs: until } }),

    /** Who is in it and how far they are; it goes on at `next`. */
    members: (conversation: string, page: Page = {}) =>
      signed<{ members: Member[]; next?: string }>('GET', at(conversation, '/members'), { query: { ...page } }),
    /**
     * Adds people to a group. Those who want to be asked first, or have left it before, are in `asked`.
     * @throws FlotillaError role_insufficient, already_a_member, conversation_full, direct_fixed, user_unknown,
     *   request_declined, too_many
     */
    addMembers: (conversation: string, users: readonly string[]) =>
      signed<{ seq: number; asked: readonly string[] }>('POST', at(conversation, '/members'), { body: { users } }),
    /** Removing oneself is leaving. @throws FlotillaError role_insufficient, last_owner, direct_fixed */
    removeMember: (conversation: string, user: string) => signed<{ seq: number }>('DELETE', member(conversation, user)),
    /** @throws FlotillaError role_insufficient, last_owner, direct_fixed */
    changeRole: (conversation: string, user: string, role: Role) =>
      signed<{ seq: number }>('PATCH', member(conversation, user), { body: { role } }),

    /** Entries in rising order: those after a seq, or the last ones before it; without either, the latest. */
    history: (conversation: string, range: HistoryRange = {}) =>
      signed<ReplyOf<'history.page'>>('GET', at(conversation, '/messages'), { query: { ...range } }),
    /** Posts without the socket and without the outbox. Repeat it with the same clientId until it is answered. */
    post: (conversation: string, message: { clientId: string; body: Body; replyTo?: number }) =>
      signed<ReplyOf<'message.send'>>('POST', at(conversation, '/messages'), { body: message }),
    /** Says without the socket how far one is. The client says it by itself. */
    receipts: (conversation: string, upTo: { delivered?: number; read?: number }) =>
      signed<undefined>('PUT', at(conversation, '/receipts'), { body: upTo }),

    account: createAccount(signed),
    blocks: createBlocks(signed),
    contacts: createContacts(signed),
    conversationRequests: createConversationRequests(signed),
    devices: createDevices(signed),
    factors: createFactors(signed),
    identities: createIdentities(signed),
    invitations: createInvitations(signed),
    notifications: createNotifications(signed),
    passkeys: createPasskeys(signed),
    people: createPeople(signed),
    profile: createProfile(signed, (url, form) => call('POST', url, { file: form })),
    reports: createReports(signed),
    sessions: createSessions(signed),
  }
}
