/** Polls without the socket, and who voted. */
import type { Ask, BodyOf, QueryOf } from './ask.ts'

export const createPolls = (ask: Ask) => ({
  /** Votes without the socket and without the outbox. Repeat it with the same clientId until it is answered. */
  vote: (conversation: string, seq: number, vote: BodyOf<'PUT /v1/conversations/{id}/polls/{seq}/vote'>) =>
    ask('PUT /v1/conversations/{id}/polls/{seq}/vote', { id: conversation, seq, body: vote }),
  /** @throws FlotillaError message_unknown, role_insufficient */
  close: (conversation: string, seq: number) =>
    ask('POST /v1/conversations/{id}/polls/{seq}/close', { id: conversation, seq }),
  /** Who voted, in the order of their ids; it goes on at `next`. Not of an anonymous poll. @throws FlotillaError message_unknown */
  voters: (conversation: string, seq: number, query: QueryOf<'GET /v1/conversations/{id}/polls/{seq}/voters'> = {}) =>
    ask('GET /v1/conversations/{id}/polls/{seq}/voters', { id: conversation, seq, query }),
})
