/** The log of a conversation: read a page, and post without a socket. */
import { Type } from 'typebox'
import { entries, Entry } from '../entries.ts'
import { Seq, Uuid } from '../fields.ts'
import { up } from '../up.ts'
import { answered, ById, closed, done, listOf, named } from './fields.ts'
import { routes } from './route.ts'

/** The same fields as on the socket, without those that only a frame needs. */
const { after, before, limit, bytesMax } = up['history.page'].schema.properties
const { clientId, body, replyTo, thread, alsoInConversation } = up['message.send'].schema.properties

const HistoryPage = Type.Object(
  { ...up['history.page'].reply.properties, entries: Type.Array(named('Entry', Entry)) },
  { ...closed, description: '`from` is the first seq the caller may see.' },
)

const BySeq = Type.Object({ id: Uuid, seq: Seq }, closed)
const Pins = Type.Object({ messages: listOf(named('MessageNew', entries['message.new'].schema)) }, closed)

const inside = ['conversation_unknown', 'not_a_member'] as const

const pinRefusals = [...inside, 'role_insufficient', 'blocked', 'request_pending', 'message_unknown'] as const

export const messages = routes('messages', 'session', {
  getHistory: {
    at: 'GET /v1/conversations/{id}/messages',
    summary: 'Get a page of history',
    description:
      'Entries in ascending order: those after a seq, or the last ones before a seq; the latest by default. A page is limited by count and by size; `more` says whether there is another.',
    params: ById,
    query: Type.Object({ after, before, limit, bytesMax }, closed),
    answers: {
      200: answered('Entries in ascending order. `from` is the first seq the caller may see.', HistoryPage),
    },
    refusals: inside,
  },
  listPins: {
    at: 'GET /v1/conversations/{id}/pins',
    summary: 'List pinned messages',
    description: 'Most recently pinned first.',
    params: ById,
    answers: { 200: answered('The pinned messages that the caller may see.', Pins) },
    refusals: inside,
  },
  pinMessage: {
    at: 'PUT /v1/conversations/{id}/pins/{seq}',
    summary: 'Pin a message',
    description:
      'Pins it for everyone in the conversation. In groups, for owners and admins; in direct conversations, for both users.',
    params: BySeq,
    answers: done(),
    refusals: [...pinRefusals, 'limit_reached'],
  },
  unpinMessage: {
    at: 'DELETE /v1/conversations/{id}/pins/{seq}',
    summary: 'Unpin a message',
    description: 'For anyone who may pin, whoever pinned it.',
    params: BySeq,
    answers: done(),
    refusals: pinRefusals,
  },
  postMessage: {
    at: 'POST /v1/conversations/{id}/messages',
    summary: 'Post a message',
    description:
      'Acknowledged after the commit. Idempotent: repeating it with the same `clientId` returns the first result.',
    params: ById,
    body: Type.Object({ clientId, body, replyTo, thread, alsoInConversation }, closed),
    answers: { 201: answered('The seq of the message.', up['message.send'].reply) },
    refusals: [
      ...inside,
      'role_insufficient',
      'silenced',
      'blocked',
      'request_pending',
      'message_unknown',
      'data_too_deep',
      'quota_exceeded',
    ],
  },
})
