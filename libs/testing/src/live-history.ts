/**
 * What sockets delivered and when, next to what applications made of it (history.ts): the part of a history that judges
 * live delivery. Times are milliseconds of one steady clock of the process that records.
 */
import type { EventIn } from '@flotilla/protocol'

export type LiveRecord =
  /** A socket said hello: from here on its node owes it everything. */
  | {
      readonly kind: 'greeted'
      readonly socket: number
      readonly device: string
      readonly user: string
      readonly session: string
      readonly node: string
      readonly atMs: number
    }
  /** A frame came before hello. */
  | {
      readonly kind: 'early'
      readonly device: string
      readonly node: string
      readonly event: string
      readonly atMs: number
    }
  /** It is over, or its client has let go of it. */
  | { readonly kind: 'ended'; readonly socket: number; readonly atMs: number }
  /** An entry came by a socket: as an event, or in the answer to a question. */
  | {
      readonly kind: 'delivered'
      readonly socket: number
      readonly conversation: string
      readonly seq: number
      readonly how: 'live' | 'asked'
      readonly atMs: number
    }
  /** A typing notice came by a socket, of whom it names. */
  | {
      readonly kind: 'typing'
      readonly socket: number
      readonly conversation: string
      readonly user: string
      readonly atMs: number
    }
  /** The device knows that its person is out: by the entry that says so, or by a refusal. */
  | { readonly kind: 'told'; readonly device: string; readonly conversation: string; readonly atMs: number }
  /** Somebody begins to add this person. Whether it came to that may never be known. */
  | { readonly kind: 'adding'; readonly conversation: string; readonly user: string; readonly atMs: number }
  /** A removal, also by oneself, was answered. */
  | {
      readonly kind: 'put-out'
      readonly conversation: string
      readonly user: string
      readonly seq: number
      readonly atMs: number
    }
  /** The end of a session was answered. */
  | { readonly kind: 'revoked'; readonly session: string; readonly atMs: number }
  /** A block within a direct conversation was answered, and its end is begun. */
  | { readonly kind: 'blocked'; readonly conversation: string; readonly atMs: number }
  | { readonly kind: 'unblocking'; readonly conversation: string; readonly atMs: number }
  /** A message was taken that is to be sent at `dueMs`; by the wall clock, as when that was answered. */
  | {
      readonly kind: 'scheduled'
      readonly user: string
      readonly conversation: string
      readonly clientId: string
      readonly dueMs: number
      readonly answeredMs: number
    }
  /** It was answered that it will not be sent. */
  | { readonly kind: 'cancelled'; readonly clientId: string }
  /** A change was answered that is told to this person by a signal: `about` is what it tells, by `aboutOf`. */
  | {
      readonly kind: 'signalled'
      readonly user: string
      readonly event: string
      readonly about: string
      /** When the change was asked for. */
      readonly fromMs: number
      readonly atMs: number
    }
  /** A signal came by a socket; also `refresh`, which is about nothing. */
  | {
      readonly kind: 'signal'
      readonly socket: number
      readonly event: string
      readonly about: string
      readonly atMs: number
    }
  /** A send over a socket was answered, by whatever word; without `answeredMs` it never was while the socket was open. */
  | { readonly kind: 'send'; readonly socket: number; readonly atMs: number; readonly answeredMs?: number }
  /** The API refused a change. */
  | { readonly kind: 'refused'; readonly what: string; readonly code: string; readonly atMs: number }
  /** When all was over, somebody said something by this node. */
  | {
      readonly kind: 'probed'
      readonly node: string
      readonly conversation: string
      readonly seq: number
      readonly atMs: number
    }
  /** A fault was in force, so that what depends on this was not to be had. */
  | { readonly kind: 'away'; readonly what: string; readonly fromMs: number; readonly toMs: number }

/** What a signal tells, in short: equal for whoever hears it and whoever has caused it. */
export function aboutOf(event: EventIn<'signal'>): string {
  switch (event.event) {
    case 'contact.requested':
      return event.request.id
    case 'contact.accepted':
    case 'contact.declined':
    case 'contact.cancelled':
      return event.request
    case 'contact.removed':
      return event.user
    case 'block.changed':
      return `${event.user} ${event.blocked}`
    case 'conversation.muted':
      return `${event.conversation} ${event.until}`
    case 'reaction.stored':
      return `${event.conversation} ${event.target} ${event.version}`
    case 'message.starred':
      return `${event.conversation} ${event.target} ${event.starred}`
    default:
      return ''
  }
}

/** Milliseconds of a clock that nobody sets. */
export const steadyMs = (): number => performance.timeOrigin + performance.now()
