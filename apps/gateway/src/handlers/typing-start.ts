import { typing } from '@flotilla/chat'
import type { Handler } from '../handler.ts'

export const typingStart: Handler<'typing.start'> = async (deps, session, command) => {
  await typing.tell(deps.chat, session.user, { conversation: command.conversation, typing: true })
  return {}
}
