/** What becomes of messages: without the socket and the outbox where `client` has a method of the same name. */
import type { Ask, BodyOf, Page, QueryOf } from './ask.ts'

export const createMessages = (ask: Ask) => ({
  /** Repeat it with the same clientId until it is answered. @throws FlotillaError message_unknown, too_late */
  edit: (conversation: string, seq: number, edit: BodyOf<'PATCH /v1/conversations/{id}/messages/{seq}'>) =>
    ask('PATCH /v1/conversations/{id}/messages/{seq}', { id: conversation, seq, body: edit }),
  /** Deletes it for everybody. @throws FlotillaError message_unknown, role_insufficient, too_late */
  delete: (conversation: string, seq: number) =>
    ask('DELETE /v1/conversations/{id}/messages/{seq}', { id: conversation, seq }),
  /** Repeat it with the same clientId until it is answered. @throws FlotillaError message_unknown */
  forward: (conversation: string, forward: BodyOf<'POST /v1/conversations/{id}/forwards'>) =>
    ask('POST /v1/conversations/{id}/forwards', { id: conversation, body: forward }),
  /** What it said before it was edited, where the deployment keeps that, and what it says now. @throws FlotillaError message_unknown */
  versions: (
    conversation: string,
    seq: number,
    page: QueryOf<'GET /v1/conversations/{id}/messages/{seq}/versions'> = {},
  ) => ask('GET /v1/conversations/{id}/messages/{seq}/versions', { id: conversation, seq, query: page }),

  /** Hides messages for oneself, on all one's devices and for good. @throws FlotillaError message_unknown, limit_reached */
  hide: (conversation: string, seqs: readonly number[]) =>
    ask('POST /v1/conversations/{id}/hidden', { id: conversation, body: { seqs } }),
  /** Clears the conversation for oneself: it begins after `upTo`. */
  clear: (conversation: string, upTo: number) =>
    ask('PUT /v1/conversations/{id}/cleared', { id: conversation, body: { upTo } }),
  /** What one has hidden message by message, the latest first. How far a conversation was cleared is its `clearedSeq`. */
  hidden: (page: Page = {}) => ask('GET /v1/hidden-messages', { query: page }),
})
