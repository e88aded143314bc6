/** A handler for each operation. */
import { messages } from '@flotilla/chat'
import type { EntryOp, Op } from '@flotilla/protocol'
import { entryCommands } from '@flotilla/protocol/schemas'
import type { Handler } from './handler.ts'
import { historyPage } from './handlers/history-page.ts'
import { messageDelivered } from './handlers/message-delivered.ts'
import { messageRead } from './handlers/message-read.ts'
import { ping } from './handlers/ping.ts'
import { presenceUnwatch } from './handlers/presence-unwatch.ts'
import { presenceWatch } from './handlers/presence-watch.ts'
import { syncResume } from './handlers/sync-resume.ts'
import { typingStart } from './handlers/typing-start.ts'
import { typingStop } from './handlers/typing-stop.ts'

/** For each command that makes an entry: what it may and does is said by the rule of its kind, in the domain. */
const append: Handler<EntryOp> = ({ chat }, session, command) =>
  messages.append(chat, session.user, command.op, command, session.origin)

const entryHandlers = Object.fromEntries(Object.keys(entryCommands).map(op => [op, append])) as {
  [O in EntryOp]: Handler<O>
}

export const handlers: { readonly [O in Op]: Handler<O> } = {
  ...entryHandlers,
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
