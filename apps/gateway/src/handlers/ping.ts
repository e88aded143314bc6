import { sync } from '@flotilla/chat'
import type { Handler } from '../handler.ts'

export const ping: Handler<'ping'> = async ({ chat }, session, { seen = [] }) => ({
  at: chat.clock(),
  behind: seen.length === 0 ? [] : await chat.turns.read(session, () => sync.behind(chat, session.user, seen)),
})
