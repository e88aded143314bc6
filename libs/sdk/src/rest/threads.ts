/** Threads: their messages, and what oneself has to do with them. */
import type { Ask, Page, QueryOf } from './ask.ts'

export const createThreads = (ask: Ask) => ({
  /** Those that one follows, as the messages that they hang on; the one with the latest reply first. */
  list: (page: Page = {}) => ask('GET /v1/threads', { query: page }),
  /** A page of a thread, in rising order. @throws FlotillaError message_unknown */
  read: (conversation: string, seq: number, range: QueryOf<'GET /v1/conversations/{id}/threads/{seq}/messages'> = {}) =>
    ask('GET /v1/conversations/{id}/threads/{seq}/messages', { id: conversation, seq, query: range }),
  /** @throws FlotillaError message_unknown, limit_reached */
  follow: (conversation: string, seq: number) =>
    ask('PUT /v1/conversations/{id}/threads/{seq}/follow', { id: conversation, seq }),
  unfollow: (conversation: string, seq: number) =>
    ask('DELETE /v1/conversations/{id}/threads/{seq}/follow', { id: conversation, seq }),
  /** One has read the thread that hangs on `seq`, up to a message in it. */
  markRead: (conversation: string, seq: number, upTo: number) =>
    ask('PUT /v1/conversations/{id}/threads/{seq}/read', { id: conversation, seq, body: { seq: upTo } }),
})
