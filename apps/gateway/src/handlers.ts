/** A handler for each operation. It takes the node's deps, the session and the command, and returns the reply. */
import type { ChatContext } from '@flotilla/chat'
import type { CommandOf, Op, ReplyOf } from '@flotilla/protocol'
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

/** Who sent a command. */
export interface Session {
  readonly user: string
  readonly session: string
  /** Names the connection, so that it is not told what its reply tells it. */
  readonly origin: object
  /** Whether somebody still waits for the reply. */
  readonly open: boolean
}

/** What handlers work with: the domain, and the watches of this node. No socket, no hub. */
export interface HandlerDeps {
  readonly chat: ChatContext
  /** @returns who of them is online now. @throws Refusal watch_full */
  watch(session: Session, users: readonly string[]): Promise<readonly string[]>
  unwatch(session: Session, users: readonly string[]): Promise<void>
}

export type Handler<O extends Op> = (deps: HandlerDeps, session: Session, command: CommandOf<O>) => Promise<ReplyOf<O>>

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
