/** Reminders of messages. Private: nobody else hears of them. */
import { Type } from 'typebox'
import { At, Seq, Uuid } from '../fields.ts'
import { answered, BySeq, closed, done, listOf, named, ofMessage } from './fields.ts'
import { routes } from './route.ts'

export const Reminder = named(
  'Reminder',
  Type.Object(
    { conversation: Uuid, seq: Seq, at: Type.With(At, { description: 'When the reminder is due.' }) },
    closed,
  ),
)
export type Reminder = Type.Static<typeof Reminder>
const Reminders = Type.Object({ reminders: listOf(Reminder) }, closed)

export const reminders = routes('messages', 'session', {
  setReminder: {
    at: 'PUT /v1/conversations/{id}/messages/{seq}/reminder',
    summary: 'Set a reminder',
    description:
      'At that time you get a notification of kind `reminder` and a push notification. Its `detail` names the message (`conversation`, `seq`), and has `gone` if the message was removed or you can no longer see it. There is one reminder per message; setting it again moves it.',
    params: BySeq,
    body: Type.Object({ at: Type.With(At, { description: 'At most a year ahead.' }) }, closed),
    answers: { 200: answered('The reminder.', Reminder) },
    refusals: [...ofMessage, 'limit_reached'],
  },
  cancelReminder: {
    at: 'DELETE /v1/conversations/{id}/messages/{seq}/reminder',
    summary: 'Cancel a reminder',
    description: 'Does nothing if there is none.',
    params: BySeq,
    answers: done(),
  },
  listReminders: {
    at: 'GET /v1/reminders',
    summary: 'List my reminders',
    description: 'All of them, ordered by time.',
    answers: { 200: answered('The reminders.', Reminders) },
  },
})
