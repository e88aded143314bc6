import { messages } from '@flotilla/chat'
import type { Handler } from '../handler.ts'

export const messageSend: Handler<'message.send'> = (deps, session, command) =>
  messages.post(deps.chat, session.user, command, session.origin)
