/** What the domain needs of the world outside it. An app's main.ts joins them. */
import type { EventIn } from '@flotilla/protocol'

/** The part of a pino logger that the domain needs. */
export interface ChatLogger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/**
 * Something that others must hear, after the commit. Its class is the one that the protocol declares the event to be of:
 * see DeliveryClass.
 */
export type Emission = EmittedEntry | EmittedSignal | EmittedEphemeral

/** An entry of a log. */
export interface EmittedEntry {
  readonly class: 'entry'
  /** Whom: people, or whoever is here of a conversation at this version of its membership. */
  readonly to: readonly string[] | { readonly conversation: string; readonly version: number }
  /** In the latter case: all its people, who are owed it when they are away; missing where nobody is. */
  readonly people?: readonly string[]
  /** Those who have their row in the offline index already. */
  readonly owed?: readonly string[]
  readonly event: EventIn<'entry'>
  /** Its place, the membership version that it made, if any, and when it was committed, unless it is told once more. */
  readonly entry: {
    readonly conversation: string
    readonly seq: number
    readonly membership?: number
    readonly at?: number
  }
  /** The connection that has it already, by its reply. */
  readonly origin?: object | undefined
}

export interface EmittedSignal {
  readonly class: 'signal'
  readonly to: readonly string[]
  readonly event: EventIn<'signal'>
}

export interface EmittedEphemeral {
  readonly class: 'ephemeral'
  readonly to: readonly string[]
  readonly event: EventIn<'ephemeral'>
  /** The membership that decided whom it is for. Who knows of a later one lets it be. */
  readonly asOf?: { readonly conversation: string; readonly version: number }
}

/** Hears where an entry's time went. `startedAt` is of performance.now(); the part ends with the call. */
export type TraceEntry = (
  entry: { readonly conversation: string; readonly seq: number },
  part: {
    readonly name: string
    readonly startedAt: number
    readonly root?: boolean
    readonly attributes?: Readonly<Record<string, string | number>>
  },
) => void

/** So many tokens a second, lasting, and so many at once. */
export interface Budget {
  readonly name: string
  readonly perSecond: number
  readonly burst: number
}

/** So much of a budget, for the one who pays. */
export interface Charge {
  readonly budget: Budget
  readonly who: string
  readonly count: number
}

/** The budget in which there is too little for longest, and for how long. */
export interface Lack {
  readonly budget: Budget
  readonly retryMs: number
}

export interface BudgetPorts {
  /** Takes all, or nothing and says what is lacking. Missing where nothing is limited. */
  readonly spendAll?: (charges: readonly Charge[]) => Lack | undefined
  /** Connections of somebody that are here: they hear what the person does on one of them. */
  readonly connectionsOf?: (user: string) => number
}

export interface ChatPorts extends BudgetPorts {
  readonly logger: ChatLogger
  /** Sends an event on its way. Never throws, never waits: what may be lost is told by class. */
  emit(emission: Emission): void
  /** Of these people, those who are probably not here: a hint, for the offline index. */
  presumedAbsent(users: readonly string[]): readonly string[]
  /** Missing when nothing is traced. */
  readonly trace?: TraceEntry
}
