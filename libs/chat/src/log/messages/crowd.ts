/** A reaction, as it is handed over to be counted: alone, or with others of a large conversation. */
import type { Refusal } from '@flotilla/protocol'

/** What somebody does, as a command says it; the emoji is qualified. */
export interface Reacting {
  readonly by: string
  /** The first entry that the person may see. */
  readonly joinedSeq: number
  readonly target: number
  readonly emoji: string
  readonly on: boolean
}

/** In a large conversation: with the version of the membership by which it was decided. */
export interface CrowdReacting extends Reacting {
  readonly version: number
}

/** Where the log stands, for there is no entry; or that the membership has changed meanwhile. */
export type CrowdResult =
  | { readonly seq: number; readonly at: number; readonly epoch: number; readonly entry: null }
  | 'stale'
  | Refusal
