/** Reminders of messages. */
import { reminders } from '@flotilla/chat'
import { rest } from '@flotilla/protocol/schemas'
import type { Api, RouteDeps } from '../app.ts'
import { serve } from '../http/serve.ts'

export function reminderRoutes(app: Api, deps: RouteDeps): void {
  const { chat } = deps
  serve(app, deps, rest.reminders, {
    setReminder: async ({ params, body, caller }) =>
      reminders.set(chat, caller.user, { conversation: params.id, seq: params.seq, at: body.at }),

    cancelReminder: async ({ params, caller }) =>
      reminders.cancel(chat, caller.user, { conversation: params.id, seq: params.seq }),

    listReminders: async ({ caller }) => reminders.list(chat, caller.user),
  })
}
