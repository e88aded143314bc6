import { presence } from '@flotilla/chat'
import type { Handler } from '../handlers.ts'

export const presenceWatch: Handler<'presence.watch'> = async (deps, session, command) => {
  await presence.demandAcquainted(deps.chat, session.user, command.users)
  return { online: [...(await deps.watch(session, command.users))] }
}
