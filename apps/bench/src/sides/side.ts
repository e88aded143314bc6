/** A side is what is measured: servers of one kind, started on a ground and known to the load by their addresses. */
import type { Ground } from '../bed.ts'
import type { Fleet } from '../load/messengers.ts'
import type { Ending } from '../load/window.ts'
import type { NodeProcess } from './node-process.ts'

/** The length of a message's text: with it a body has some 170 bytes. */
export const textLength = 150

/** Figures by their names. */
export type Counts = Readonly<Record<string, number>>

/** Servers that run. */
export interface Stand {
  readonly fleet: Fleet
  /** The servers of the side itself; PostgreSQL and Redis belong to the ground. */
  readonly processes: readonly NodeProcess[]
  /** Figures that the servers count, summed over them; without those that they do not. Each server is asked once. */
  counters(names: readonly string[]): Promise<Counts>
  stop(): Promise<void>
}

export interface Side {
  readonly name: string
  /** Who and what is there: people with sessions, and their conversations. */
  populate(ground: Ground, population: Population): Promise<void>
  start(ground: Ground, options: StandOptions): Promise<Stand>
  /**
   * Compares what the load saw with what is stored.
   * @param told whether every delivery was acknowledged by its receiver, which then must be known to the server
   * @returns what does not agree
   */
  verify(ground: Ground, stand: Stand, ending: Ending, told: boolean): Promise<string[]>
}

export interface Population {
  readonly people: number
  /** Pairs of the people 0 and 1, 2 and 3, and so on: `idOf('direct', 0)`, `idOf('direct', 1)`. */
  readonly directs?: number
  /** Groups of so many members each: the first of the people 0 to size-1, and so on: `idOf('group', 0)`. */
  readonly groups?: { readonly count: number; readonly size: number }
  /** Direct conversations beyond those, in which so many messages each stand and nobody writes any more. */
  readonly past?: Past
}

export interface Past {
  readonly directs: number
  readonly messagesEach: number
}

export interface StandOptions {
  readonly nodes: number
  readonly core: number
  /** Settings of the side in its environment, beside those that let the load through. */
  readonly env?: Readonly<Record<string, string>>
  /** Opens the port of the debugger, through which the bench asks for a collection of garbage. */
  readonly inspect?: boolean
}
