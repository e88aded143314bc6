/** The log of a conversation: reading a page of it, and posting without a socket. */
import { Type } from 'typebox'
import { entries, Entry } from '../entries.ts'
import { Seq, Uuid } from '../fields.ts'
import { up } from '../up.ts'
import { answered, ById, closed, done, listOf, named } from './fields.ts'
import { routes } from './route.ts'

/** The same fields as on the socket, without those that only a frame needs. */
const { after, before, limit, bytesMax } = up['history.page'].schema.properties
const { clientId, body, replyTo } = up['message.send'].schema.properties

const HistoryPage = Type.Object(
  { ...up['history.page'].reply.properties, entries: Type.Array(named('Entry', Entry)) },
  { ...closed, description: '`from` is the seq of the first entry that the caller may see.' },
)

const BySeq = Type.Object({ id: Uuid, seq: Seq }, closed)
const Pins = Type.Object({ messages: listOf(named('MessageNew', entries['message.new'].schema)) }, closed)

const inside = ['conversation_unknown', 'not_a_member'] as const

const pinRefusals = [...inside, 'role_insufficient', 'direct_closed', 'request_waiting', 'message_unknown'] as const

export const messages = routes('messages', 'session', {
  history: {
    at: 'GET /v1/conversations/{id}/messages',
    summary: 'Read a page of the log',
    description:
      'The entries of a conversation in rising order: those after a seq, or the last ones before a seq; without either, the latest. A page ends at its limit or its size in bytes: `more` says whether there is another.',
    params: ById,
    query: Type.Object({ after, before, limit, bytesMax }, closed),
    answers: {
      200: answered(
        'Entries in rising order. `from` is the seq of the first entry that the caller may see.',
        HistoryPage,
      ),
    },
    refusals: inside,
  },
  listPins: {
    at: 'GET /v1/conversations/{id}/pins',
    summary: 'List the pinned messages',
    description: 'The one that was pinned last first.',
    params: ById,
    answers: { 200: answered('The pinned messages that the caller may see.', Pins) },
    refusals: inside,
  },
  pinMessage: {
    at: 'PUT /v1/conversations/{id}/pins/{seq}',
    summary: 'Pin a message',
    description:
      'For everybody in the conversation: in a group by owners and admins, in a direct conversation by both.',
    params: BySeq,
    answers: done(),
    refusals: [...pinRefusals, 'too_many'],
  },
  unpinMessage: {
    at: 'DELETE /v1/conversations/{id}/pins/{seq}',
    summary: 'Unpin a message',
    description: 'Whoever has pinned it.',
    params: BySeq,
    answers: done(),
    refusals: pinRefusals,
  },
  postMessage: {
    at: 'POST /v1/conversations/{id}/messages',
    summary: 'Post a message',
    description:
      'The answer leaves after the commit. Repeated with the same `clientId`, it is answered with the first result.',
    params: ById,
    body: Type.Object({ clientId, body, replyTo }, closed),
    answers: { 201: answered('The place of the message in the conversation.', up['message.send'].reply) },
    refusals: [...inside, 'direct_closed', 'request_waiting', 'message_unknown', 'data_too_deep', 'quota_exceeded'],
  },
})
