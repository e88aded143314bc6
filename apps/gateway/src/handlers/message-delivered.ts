import { receipts } from '@flotilla/chat'
import type { Handler } from '../handler.ts'

export const messageDelivered: Handler<'message.delivered'> = async (deps, session, command) => {
  await receipts.delivered(deps.chat, session.user, command)
  return {}
}
