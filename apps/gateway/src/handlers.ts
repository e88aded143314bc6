/** A handler for each operation. */
import type { Op } from '@flotilla/protocol'
import type { Handler } from './handler.ts'
import { historyPage } from './handlers/history-page.ts'
import { messageDelivered } from './handlers/message-delivered.ts'
import { messageRead } from './handlers/message-read.ts'
import { messageSend } from './handlers/message-send.ts'
import { ping } from './handlers/ping.ts'
import { presenceUnwatch } from './handlers/presence-unwatch.ts'
import { presenceWatch } from './handlers/presence-watch.ts'
import { syncResume } from './handlers/sync-resume.ts'
import { typingStart } from './handlers/typing-start.ts'
import { typingStop } from './handlers/typing-stop.ts'

export const handlers: { readonly [O in Op]: Handler<O> } = {
  'message.send': messageSend,
  'message.delivered': messageDelivered,
  'message.read': messageRead,
  'history.page': historyPage,
  'sync.resume': syncResume,
  'typing.start': typingStart,
  'typing.stop': typingStop,
  'presence.watch': presenceWatch,
  'presence.unwatch': presenceUnwatch,
  ping,
}
