/** Threads: their messages, following and reading them. */
import { Type } from 'typebox'
import { entries } from '../entries.ts'
import { Cursor, Seq, Uuid } from '../fields.ts'
import { limits } from '../limits.ts'
import { up } from '../up.ts'
import { answered, closed, done, listOf, named, ofMessage, PageCursor, pageLimit } from './fields.ts'
import { routes } from './route.ts'

const { after, before, limit, bytesMax } = up['history.page'].schema.properties

const MessageNew = named('MessageNew', entries['message.new'].schema)
const ByRoot = Type.Object(
  { id: Uuid, seq: Type.With(Seq, { description: 'The seq of the root of the thread.' }) },
  closed,
)
const ThreadPage = Type.Object(
  {
    root: MessageNew,
    messages: listOf(MessageNew),
    more: Type.Optional(Type.Boolean({ description: 'Whether there is another page.' })),
  },
  closed,
)
const Threads = Type.Object({ threads: listOf(MessageNew), next: Type.Optional(PageCursor) }, closed)

export const threads = routes('messages', 'session', {
  listThreads: {
    at: 'GET /v1/threads',
    summary: 'List followed threads',
    description:
      'The root messages of the threads you follow, in all conversations, latest reply first. `replies` has the unread count.',
    query: Type.Object({ limit: pageLimit(20, 50), after: Type.Optional(PageCursor) }, closed),
    answers: { 200: answered('A page of threads.', Threads) },
  },
  readThread: {
    at: 'GET /v1/conversations/{id}/threads/{seq}/messages',
    summary: 'Read a page of a thread',
    description:
      'The messages of a thread in ascending order, and its root: those after a seq, or the last ones before a seq; by default the latest.',
    params: ByRoot,
    query: Type.Object({ after, before, limit, bytesMax }, closed),
    answers: { 200: answered('Messages in ascending order.', ThreadPage) },
    refusals: ofMessage,
  },
  followThread: {
    at: 'PUT /v1/conversations/{id}/threads/{seq}/follow',
    summary: 'Follow a thread',
    description: `Existing replies count as read. The author of the root and users who reply or are mentioned in the thread follow it automatically. You can follow up to ${limits.threadsFollowedMax} threads.`,
    params: ByRoot,
    answers: done(),
    refusals: [...ofMessage, 'limit_reached'],
  },
  unfollowThread: {
    at: 'DELETE /v1/conversations/{id}/threads/{seq}/follow',
    summary: 'Unfollow a thread',
    description: 'Until you reply or are mentioned there again.',
    params: ByRoot,
    answers: done(),
    refusals: ofMessage,
  },
  markThreadRead: {
    at: 'PUT /v1/conversations/{id}/threads/{seq}/read',
    summary: 'Mark a thread as read',
    description: 'For threads you follow. The read position only moves forward.',
    params: ByRoot,
    body: Type.Object({ seq: Cursor }, closed),
    answers: done(),
    refusals: ofMessage,
  },
})
