import { sync } from '@flotilla/chat'
import type { Handler } from '../handlers.ts'

export const ping: Handler<'ping'> = async (deps, session, command) => ({
  at: deps.chat.clock(),
  behind:
    command.seen === undefined || command.seen.length === 0
      ? []
      : await sync.behind(deps.chat, session.user, command.seen),
})
