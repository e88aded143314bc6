import { privacy } from '@flotilla/chat'
import type { Handler } from '../handler.ts'

export const presenceWatch: Handler<'presence.watch'> = async (deps, session, { users }) => {
  const { chat } = deps
  await chat.turns.read(session, () => privacy.demandAcquainted(chat, session.user, users))
  return { online: [...(await deps.watch(session, users))] }
}
