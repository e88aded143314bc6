/**
 * What the clients of a test did and saw, as one list of plain records in the order in which it happened to each device.
 * Lists of several processes may simply be joined; history-file.ts keeps them outside of memory. history-checker.ts judges it.
 */

import { type Body, textOf } from '@flotilla/protocol'
import type { LiveRecord } from './live-history.ts'

/** The part of an entry that two devices can compare; every Entry of the protocol is one. */
export interface SeenEntry {
  readonly conversation: string
  readonly seq: number
  readonly event: string
  readonly clientId?: string
  readonly body?: Body
  /** Of an edit or a removal: the message. */
  readonly target?: number
  /** Of what has expired: the messages. */
  readonly targets?: readonly number[]
  /** Of a message: the last entry that has changed it, when it was seen. */
  readonly changedSeq?: number
}

export interface Send {
  readonly user: string
  readonly conversation: string
  readonly clientId: string
  /** Missing with what says nothing in words. */
  readonly text?: string
}

/** A change of membership that its caller was told to have happened. */
export interface MembershipChange {
  readonly conversation: string
  readonly user: string
  /** The seq of the entry that made it. */
  readonly seq: number
}

export interface SeenReceipt {
  readonly conversation: string
  /** Whose receipt it is. */
  readonly user: string
  readonly type: 'delivered' | 'read'
  readonly seq: number
}

export type HistoryRecord =
  | ({ readonly kind: 'sent'; readonly atMs: number } & Send)
  | {
      readonly kind: 'acknowledged'
      readonly user: string
      readonly conversation: string
      readonly clientId: string
      readonly seq: number
    }
  | {
      readonly kind: 'failed'
      readonly user: string
      readonly conversation: string
      readonly clientId: string
      readonly code: string
    }
  | ({ readonly kind: 'joined' } & MembershipChange)
  | ({ readonly kind: 'removed' } & MembershipChange)
  | { readonly kind: 'opened'; readonly device: string; readonly user: string }
  | { readonly kind: 'starts'; readonly device: string; readonly conversation: string; readonly seq: number }
  | { readonly kind: 'connected'; readonly device: string }
  | { readonly kind: 'disconnected'; readonly device: string }
  | {
      readonly kind: 'saw'
      readonly device: string
      readonly conversation: string
      readonly seq: number
      readonly event: string
      readonly clientId?: string | undefined
      readonly text?: string | undefined
      readonly target?: number | undefined
      readonly targets?: readonly number[] | undefined
      readonly changedSeq?: number | undefined
    }
  | ({ readonly kind: 'receipt'; readonly device: string } & SeenReceipt)
  | { readonly kind: 'resync'; readonly device: string; readonly conversation: string; readonly head: number }
  | { readonly kind: 'left'; readonly device: string; readonly conversation: string }
  | LiveRecord

export class History {
  readonly records: HistoryRecord[] = []
  readonly #take: (record: HistoryRecord) => void

  /** @param take gets each record instead of `records`, when there will be more than memory should hold */
  constructor(take?: (record: HistoryRecord) => void) {
    this.#take = take ?? (record => void this.records.push(record))
  }

  /** A person sends; a retry with the same clientId need not be recorded again. */
  sent(send: Send, atMs: number = Date.now()): void {
    this.#take({ kind: 'sent', atMs, ...send })
  }
  /** The node answered with a seq; record every answer, also of retries. */
  acknowledged(user: string, conversation: string, clientId: string, seq: number): void {
    this.#take({ kind: 'acknowledged', user, conversation, clientId, seq })
  }
  /** The send was given up. Nothing is concluded from it: a first attempt may have been stored all the same. */
  failed(user: string, conversation: string, clientId: string, code: string): void {
    this.#take({ kind: 'failed', user, conversation, clientId, code })
  }

  /** Somebody was told that this user joined with the entry at this seq. */
  joined(change: MembershipChange): void {
    this.#take({ kind: 'joined', ...change })
  }
  /** Somebody was told that this user was removed, or left, with the entry at this seq. */
  removed(change: MembershipChange): void {
    this.#take({ kind: 'removed', ...change })
  }

  /** A device begins. One with the same store after a restart is the same device, and is not opened again. */
  opened(device: string, user: string): void {
    this.#take({ kind: 'opened', device, user })
  }
  /** A device begins with this cursor in a conversation, so that what lies before is not owed to it. */
  starts(device: string, conversation: string, seq: number): void {
    this.#take({ kind: 'starts', device, conversation, seq })
  }
  connected(device: string): void {
    this.#take({ kind: 'connected', device })
  }
  disconnected(device: string): void {
    this.#take({ kind: 'disconnected', device })
  }
  /** The device's application was given an entry. */
  saw(device: string, { conversation, seq, event, clientId, body, target, targets, changedSeq }: SeenEntry): void {
    this.#take({
      kind: 'saw',
      device,
      conversation,
      seq,
      event,
      clientId,
      text: body === undefined ? undefined : textOf(body),
      target,
      targets,
      changedSeq,
    })
  }
  /** What the device's application shows of another's receipts; raw events of two nodes may cross, applications keep the highest. */
  receipt(device: string, receipt: SeenReceipt): void {
    this.#take({ kind: 'receipt', device, ...receipt })
  }
  /** The device's application was told to forget what it holds of a conversation and to begin at its latest page. */
  resync(device: string, conversation: string, head: number): void {
    this.#take({ kind: 'resync', device, conversation, head })
  }
  /** The device's application was told that it is not in the conversation any longer. */
  left(device: string, conversation: string): void {
    this.#take({ kind: 'left', device, conversation })
  }

  /** What a socket delivered, and what that is judged by. */
  live(record: LiveRecord): void {
    this.#take(record)
  }
}
