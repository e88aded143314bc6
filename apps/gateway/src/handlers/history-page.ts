import { messages } from '@flotilla/chat'
import type { Handler } from '../handlers.ts'

export const historyPage: Handler<'history.page'> = (deps, session, command) =>
  messages.history(deps.chat, session.user, command)
