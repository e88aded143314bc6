/** Messages that are sent later, by the server, though no device is there. Private to their sender until then. */
import { Type } from 'typebox'
import { LocalTime, ScheduledMessage } from '../down/scheduled.ts'
import { At, Uuid } from '../fields.ts'
import { up } from '../up.ts'
import { answered, ById, closed, done, listOf, named, ofMessage, PageCursor, pageLimit } from './fields.ts'
import { routes } from './route.ts'

const { clientId, body, replyTo, thread, alsoInConversation } = up['message.send'].schema.properties
const Scheduled = named('ScheduledMessage', ScheduledMessage)
const ScheduledPage = Type.Object({ scheduled: listOf(Scheduled), next: Type.Optional(PageCursor) }, closed)

/** One of the two. */
const time = {
  at: Type.Optional(
    Type.With(At, { description: 'When to send it, in milliseconds since 1970, at most a year ahead.' }),
  ),
  local: Type.Optional(
    Type.With(LocalTime, { description: 'When to send it, in local time. Give either this or `at`.' }),
  ),
}

export const scheduled = routes('messages', 'session', {
  scheduleMessage: {
    at: 'POST /v1/scheduled-messages',
    summary: 'Schedule a message',
    description:
      'The server posts the message at that time if you are then allowed to, and if a reply to the thread in `thread` is then taken. If not, you get a notification, and the message is kept as `failed`. Repeating the request with the same `clientId` returns the same scheduled message.',
    body: Type.Object({ conversation: Uuid, clientId, body, replyTo, thread, alsoInConversation, ...time }, closed),
    answers: { 201: answered('The scheduled message.', Scheduled) },
    refusals: [...ofMessage, 'blocked', 'data_too_deep', 'limit_reached', 'scheduled_unknown'],
  },
  listScheduled: {
    at: 'GET /v1/scheduled-messages',
    summary: 'List my scheduled messages',
    description: 'Ordered by time, including failed ones.',
    query: Type.Object(
      { conversation: Type.Optional(Uuid), limit: pageLimit(50, 100), after: Type.Optional(PageCursor) },
      closed,
    ),
    answers: { 200: answered('A page of scheduled messages.', ScheduledPage) },
  },
  editScheduled: {
    at: 'PATCH /v1/scheduled-messages/{id}',
    summary: 'Edit a scheduled message',
    description:
      'Changes the body, the time, or both. A new time reschedules a failed message. Once the message is due, the request fails with `scheduled_unknown`.',
    params: ById,
    body: Type.Object({ body: Type.Optional(body), ...time }, closed),
    answers: { 200: answered('The scheduled message.', Scheduled) },
    refusals: ['scheduled_unknown', 'data_too_deep'],
  },
  cancelScheduled: {
    at: 'DELETE /v1/scheduled-messages/{id}',
    summary: 'Cancel a scheduled message',
    description: 'After a 204, the message will not be sent. Also deletes a failed one.',
    params: ById,
    answers: done(),
    refusals: ['scheduled_unknown'],
  },
})
