/** What a handler is: it takes the node's deps, the session and the command, and returns the reply. */
import type { ChatContext } from '@flotilla/chat'
import type { CommandOf, Op, ReplyOf } from '@flotilla/protocol'

/** Who sent a command. */
export interface Caller {
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
  /** @returns who of them is online now. @throws Refusal watch_limit_reached */
  watch(caller: Caller, users: readonly string[]): Promise<readonly string[]>
  unwatch(caller: Caller, users: readonly string[]): Promise<void>
}

export type Handler<O extends Op> = (deps: HandlerDeps, caller: Caller, command: CommandOf<O>) => Promise<ReplyOf<O>>
