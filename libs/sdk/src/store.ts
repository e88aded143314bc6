/**
 * What a device must not forget: how far each conversation has come, and what is sent and not yet acknowledged.
 *
 * What a store promises: a write that has resolved survives the process; a write is whole or not at all; writes take
 * effect in the order of their calls. One store belongs to one person. It serves one running client, or says that it can
 * be shared (`createIndexedDbStore` does): then of two cursors the one that has come further is kept, and each send is one
 * client's, and another's when that one is gone.
 */

import type { DraftContent } from '@flotilla/protocol'

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

/** What waits for its acknowledgement, whatever it says: a store keeps all of its fields. */
export interface StoredSend {
  readonly clientId: string
  /** Rising in the order of the sends. */
  readonly order: number
  readonly conversation: string
  /** The command: a message, when it is left out. */
  readonly op?: string
  readonly [field: string]: unknown
}

/** What the person has begun to write, and when; null: they have emptied it, and the server does not know yet. */
export interface StoredDraft {
  readonly conversation: string
  readonly at: number
  readonly content: DraftContent | null
  readonly unsaved: boolean
}

export interface Stored {
  /** The person whom the store belongs to. Missing as long as it is new. */
  readonly user?: string
  readonly cursors: readonly StoredCursor[]
  /** In rising order. */
  readonly sends: readonly StoredSend[]
  readonly drafts?: readonly StoredDraft[]
}

export interface Store {
  /**
   * Everything, once at the start.
   * @param inherit takes the sends that become this client's later, because the one whose they were is gone
   */
  load(inherit?: (sends: readonly StoredSend[]) => void): Promise<Stored>
  /** The client has stopped: what it leaves is for the others who share the store. */
  release?(): void
  setUser(user: string): Promise<void>
  /** Writes cursors by conversation and drops others, in one step. */
  writeCursors(put: readonly StoredCursor[], drop: readonly string[]): Promise<void>
  addSend(send: StoredSend): Promise<void>
  /** Removing what is not there is no error. */
  removeSend(clientId: string): Promise<void>
  /** Keeps a draft, or drops it. Without this, drafts live as long as the client. */
  putDraft?(conversation: string, draft: StoredDraft | undefined): Promise<void>
}
