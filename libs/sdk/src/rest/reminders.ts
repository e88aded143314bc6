/** Reminders of messages. Live, each change comes as the event `reminder`, and the reminder itself as a notification. */
import type { Ask } from './ask.ts'

export const createReminders = (ask: Ask) => ({
  /** One for each message: set again, it has another time. @throws FlotillaError message_unknown, not_a_member, limit_reached */
  set: (conversation: string, seq: number, at: number) =>
    ask('PUT /v1/conversations/{id}/messages/{seq}/reminder', { id: conversation, seq, body: { at } }),
  cancel: (conversation: string, seq: number) =>
    ask('DELETE /v1/conversations/{id}/messages/{seq}/reminder', { id: conversation, seq }),
  /** All of them, the one that is due first before the others. */
  list: () => ask('GET /v1/reminders'),
})
