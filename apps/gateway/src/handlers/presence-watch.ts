import { presence } from '@flotilla/chat'
import type { Handler } from '../handlers.ts'

export const presenceWatch: Handler<'presence.watch'> = async (deps, session, { users }) => {
  const { chat } = deps
  await chat.turns.read(session, () => presence.demandAcquainted(chat, session.user, users))
  return { online: [...(await deps.watch(session, users))] }
}
