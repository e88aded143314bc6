/** The log of a conversation: read a page, and post without a socket. */
import { Type } from 'typebox'
import { entries, Entry } from '../entries.ts'
import { At, Emoji, Seq, Uuid } from '../fields.ts'
import { up } from '../up.ts'
import {
  answered,
  asMember,
  ById,
  BySeq,
  closed,
  done,
  listOf,
  named,
  ofMessage,
  PageCursor,
  pageLimit,
  User,
} from './fields.ts'
import { routes } from './route.ts'

/** The same fields as on the socket, without those that only a frame needs. */
const { after, before, limit, bytesMax } = up['history.page'].schema.properties
const { clientId, body, replyTo, thread, alsoInConversation } = up['message.send'].schema.properties

const HistoryPage = Type.Object(
  { ...up['history.page'].reply.properties, entries: Type.Array(named('Entry', Entry)) },
  { ...closed, description: '`from` is the first seq the caller may see.' },
)

const Pins = Type.Object({ messages: listOf(named('MessageNew', entries['message.new'].schema)) }, closed)

const Reaction = Type.Object({ user: User, emojis: Type.Array(Emoji) }, closed)
export type Reaction = Type.Static<typeof Reaction>
const ReactionPage = Type.Object({ reactions: listOf(Reaction), next: Type.Optional(PageCursor) }, closed)
const Star = Type.Object({ at: At, message: named('MessageNew', entries['message.new'].schema) }, closed)
const StarPage = Type.Object({ stars: listOf(Star), next: Type.Optional(PageCursor) }, closed)
const ByEmoji = Type.Object({ id: Uuid, seq: Seq, emoji: Emoji }, closed)

const pinRefusals = [...ofMessage, 'role_insufficient', 'blocked', 'request_pending'] as const
const reactionRefusals = [...ofMessage, 'blocked', 'request_pending'] as const

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
    refusals: asMember,
  },
  listPins: {
    at: 'GET /v1/conversations/{id}/pins',
    summary: 'List pinned messages',
    description: 'Most recently pinned first.',
    params: ById,
    answers: { 200: answered('The pinned messages that the caller may see.', Pins) },
    refusals: asMember,
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
  listReactions: {
    at: 'GET /v1/conversations/{id}/messages/{seq}/reactions',
    summary: 'List who has reacted to a message',
    description: 'The one who reacted last first; with `emoji`, only those who have reacted with it.',
    params: BySeq,
    query: Type.Object(
      { emoji: Type.Optional(Emoji), limit: pageLimit(50, 100), after: Type.Optional(PageCursor) },
      closed,
    ),
    answers: { 200: answered('A page of people, each with all their reactions to the message.', ReactionPage) },
    refusals: ofMessage,
  },
  addReaction: {
    at: 'PUT /v1/conversations/{id}/messages/{seq}/reactions/{emoji}',
    summary: 'React to a message',
    description:
      'With any emoji, or with those that the deployment allows. To react with the same one again changes nothing.',
    params: ByEmoji,
    answers: done(),
    refusals: [...reactionRefusals, 'limit_reached'],
  },
  removeReaction: {
    at: 'DELETE /v1/conversations/{id}/messages/{seq}/reactions/{emoji}',
    summary: 'Take a reaction back',
    description: 'One’s own. To take back what is not there changes nothing.',
    params: ByEmoji,
    answers: done(),
    refusals: reactionRefusals,
  },
  listStars: {
    at: 'GET /v1/stars',
    summary: 'List my starred messages',
    description: 'Of all conversations, the one that was starred last first.',
    query: Type.Object({ limit: pageLimit(50, 100), after: Type.Optional(PageCursor) }, closed),
    answers: { 200: answered('A page of messages as they stand.', StarPage) },
  },
  starMessage: {
    at: 'PUT /v1/conversations/{id}/messages/{seq}/star',
    summary: 'Star a message',
    description: 'To find it again; nobody else hears of it. The star goes with the membership, and with the message.',
    params: BySeq,
    answers: done(),
    refusals: [...ofMessage, 'limit_reached'],
  },
  unstarMessage: {
    at: 'DELETE /v1/conversations/{id}/messages/{seq}/star',
    summary: 'Unstar a message',
    description: 'To take away a star that is not there changes nothing.',
    params: BySeq,
    answers: done(),
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
      ...ofMessage,
      'role_insufficient',
      'silenced',
      'blocked',
      'request_pending',
      'data_too_deep',
      'quota_exceeded',
    ],
  },
})
