import { typing } from '@flotilla/chat'
import type { Handler } from '../handler.ts'

export const typingStop: Handler<'typing.stop'> = async (deps, session, command) => {
  await typing.tell(deps.chat, session.user, { conversation: command.conversation, typing: false })
  return {}
}
