import { messages } from '@flotilla/chat'
import type { Handler } from '../handler.ts'

export const historyPage: Handler<'history.page'> = ({ chat }, session, command) =>
  chat.turns.read(session, () => messages.history(chat, session.user, command))
