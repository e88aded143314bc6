/** Everything that a client may say. A new command is a file in up/ and a line here; one that makes an entry is with its kind. */
import type { Static } from 'typebox'
import { entryCommands } from './entries.ts'
import { historyPage } from './up/history-page.ts'
import { messageDelivered } from './up/message-delivered.ts'
import { messageRead } from './up/message-read.ts'
import { ping } from './up/ping.ts'
import { presenceUnwatch } from './up/presence-unwatch.ts'
import { presenceWatch } from './up/presence-watch.ts'
import { syncResume } from './up/sync-resume.ts'
import { typingStart } from './up/typing-start.ts'
import { typingStop } from './up/typing-stop.ts'

/** The commands by operation. */
export const up = {
  ...entryCommands,
  'message.delivered': messageDelivered,
  'message.read': messageRead,
  'history.page': historyPage,
  'sync.resume': syncResume,
  'typing.start': typingStart,
  'typing.stop': typingStop,
  'presence.watch': presenceWatch,
  'presence.unwatch': presenceUnwatch,
  ping,
} as const

export type Up = typeof up
export type Op = keyof Up

/** A command as it travels, by operation: `CommandOf<'message.send'>`. */
export type CommandOf<O extends Op> = Static<Up[O]['schema']>
/** Any command. */
export type Command = { [O in Op]: CommandOf<O> }[Op]
/** What `ok` holds in the reply to an operation. */
export type ReplyOf<O extends Op> = Static<Up[O]['reply']>
