import { sync } from '@flotilla/chat'
import type { Handler } from '../handler.ts'

export const syncResume: Handler<'sync.resume'> = ({ chat }, session, command) =>
  chat.turns.resume(session, () => sync.resume(chat, session.user, command))
