/** What verbs need that bring people together: the log, and room for searches. */
import type { LogContext, LogSettings } from '../log/context.ts'
import { createSeats, type Seats } from '../store/seats.ts'

export interface PeopleSettings extends LogSettings {
  readonly contactsMax: number
  /** Contact requests that one person has open, and that are open to one person. */
  readonly contactRequestsSentMax: number
  readonly contactRequestsReceivedMax: number
  /** People that one person may have blocked. */
  readonly blocksMax: number
  /** Searches under way at once: each has a connection, and the others are for messages. */
  readonly searchesAtOnceMax: number
  readonly searchQueueMax: number
}

export const peopleDefaults = {
  contactsMax: 5_000,
  contactRequestsSentMax: 100,
  contactRequestsReceivedMax: 500,
  blocksMax: 5_000,
  searchesAtOnceMax: 2,
  searchQueueMax: 20,
} satisfies Partial<PeopleSettings>

export interface PeopleContext extends LogContext {
  readonly settings: PeopleSettings
  readonly searches: Seats
}

/** What people add to the context of the log. */
export function openPeople(settings: PeopleSettings) {
  return { searches: createSeats({ atOnceMax: settings.searchesAtOnceMax, queueMax: settings.searchQueueMax }) }
}
