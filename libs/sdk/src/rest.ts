/** The REST API, typed: one method a URL. What is signed in with is asked for at each call and renewed once on a 401. */
import type { Body, EntryOf, ReplyOf, Role } from '@flotilla/protocol'
import { FlotillaError } from './flotilla-error.ts'
import type { Call, HttpRequest } from './http.ts'

export interface User {
  readonly id: string
  readonly username: string
  readonly displayName: string
}

export interface Member {
  readonly user: User
  readonly role: Role
  readonly deliveredSeq: number
  readonly readSeq: number
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
  readonly memberCount: number
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
}

/**
 * The access token, whenever one is needed. With `expired` the last answer was refused: bring a new one, or throw a
 * FlotillaError that is not worth a retry (`refresh_invalid`, for example) when there will be none.
 */
export type GetToken = (why: { readonly expired: boolean }) => Promise<string>

export type Rest = ReturnType<typeof createRest>

export function createRest(call: Call, getToken: GetToken) {
  async function signed<T>(method: string, path: string, request: HttpRequest = {}): Promise<T> {
    const token = await getToken({ expired: false })
    try {
      return await call<T>(method, path, { ...request, token })
    } catch (thrown) {
      if (!(thrown instanceof FlotillaError) || thrown.code !== 'unauthenticated') throw thrown
      return call<T>(method, path, { ...request, token: await getToken({ expired: true }) })
    }
  }
  const at = (conversation: string, more = '') => `/v1/conversations/${encodeURIComponent(conversation)}${more}`
  const member = (conversation: string, user: string) => at(conversation, `/members/${encodeURIComponent(user)}`)

  return {
    me: () => signed<User>('GET', '/v1/me'),
    user: (id: string) => signed<User>('GET', `/v1/users/${encodeURIComponent(id)}`),
    userByName: (username: string) => signed<User>('GET', '/v1/users', { query: { username } }),
    connect: () => signed<ConnectAnswer>('GET', '/v1/connect'),

    /** The direct conversation with a person; the one that exists is given back. */
    createDirect: (user: string) =>
      signed<Conversation>('POST', '/v1/conversations', { body: { kind: 'direct', user } }),
    createGroup: (name: string, members: readonly string[]) =>
      signed<Conversation>('POST', '/v1/conversations', { body: { kind: 'group', name, members } }),
    /** The most recent first. `next` of one page is `after` of the one that follows it. */
    conversations: (page: { limit?: number; after?: string } = {}) =>
      signed<{ conversations: Conversation[]; next?: string }>('GET', '/v1/conversations', { query: { ...page } }),
    conversation: (id: string) => signed<Conversation>('GET', at(id)),
    rename: (conversation: string, name: string) => signed<Conversation>('PATCH', at(conversation), { body: { name } }),

    members: (conversation: string, page: { limit?: number; after?: string } = {}) =>
      signed<{ members: Member[]; next?: string }>('GET', at(conversation, '/members'), { query: { ...page } }),
    addMembers: (conversation: string, users: readonly string[]) =>
      signed<{ seq: number }>('POST', at(conversation, '/members'), { body: { users } }),
    /** Removing oneself is leaving. */
    removeMember: (conversation: string, user: string) => signed<{ seq: number }>('DELETE', member(conversation, user)),
    changeRole: (conversation: string, user: string, role: Role) =>
      signed<{ seq: number }>('PATCH', member(conversation, user), { body: { role } }),

    /** Entries in rising order: those after a seq, or the last ones before it; without either, the latest. */
    history: (conversation: string, range: HistoryRange = {}) =>
      signed<ReplyOf<'history.page'>>('GET', at(conversation, '/messages'), { query: { ...range } }),
    /** Posts without the socket and without the outbox. Repeat it with the same clientId until it is answered. */
    post: (conversation: string, message: { clientId: string; body: Body; replyTo?: number }) =>
      signed<ReplyOf<'message.send'>>('POST', at(conversation, '/messages'), { body: message }),
    receipts: (conversation: string, upTo: { delivered?: number; read?: number }) =>
      signed<undefined>('PUT', at(conversation, '/receipts'), { body: upTo }),
  }
}
