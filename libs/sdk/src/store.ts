/**
 * What a device must not forget: how far each conversation has come, and the messages that are not yet acknowledged.
 *
 * What a store promises: a write that has resolved survives the process; a write is whole or not at all; writes take
 * effect in the order of their calls. One store belongs to one person and serves one running client at a time (give
 * each browser tab a store of its own name, or let one tab hold the client).
 */
import type { Body } from '@flotilla/protocol'

/** How far a device has come in one conversation. */
export interface StoredCursor {
  readonly conversation: string
  readonly epoch: number
  /** The application has been given everything up to here. */
  readonly seq: number
  /** What the server is known to have heard of `seq`. */
  readonly toldDelivered: number
  /** What the person has read. */
  readonly read: number
  /** What the server is known to have heard of `read`. */
  readonly toldRead: number
}

/** A message that waits for its acknowledgement. */
export interface StoredSend {
  readonly clientId: string
  /** Rising in the order of the sends. */
  readonly order: number
  readonly conversation: string
  readonly body: Body
  readonly replyTo?: number
}

export interface Stored {
  /** The person whom the store belongs to. Missing as long as it is new. */
  readonly user?: string
  readonly cursors: readonly StoredCursor[]
  /** In rising order. */
  readonly sends: readonly StoredSend[]
}

export interface Store {
  /** Everything, once at the start. */
  load(): Promise<Stored>
  setUser(user: string): Promise<void>
  /** Writes cursors by conversation and drops others, in one step. */
  writeCursors(put: readonly StoredCursor[], drop: readonly string[]): Promise<void>
  addSend(send: StoredSend): Promise<void>
  /** Removing what is not there is no error. */
  removeSend(clientId: string): Promise<void>
}
