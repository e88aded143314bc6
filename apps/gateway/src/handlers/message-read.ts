import { receipts } from '@flotilla/chat'
import type { Handler } from '../handler.ts'

export const messageRead: Handler<'message.read'> = async (deps, session, command) => {
  await receipts.read(deps.chat, session.user, command)
  return {}
}
