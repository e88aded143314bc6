/**
 * What the load does with a signed-in connection, whichever server is behind it. Each side has its own file beside this
 * one; a program of the load knows only this contract, so that both sides get the same work.
 */

export interface MessengerEvents {
  /** A message of one's own is stored. @param seq its place, or whatever else the server calls it by */
  acked(number: number, seq: number): void
  /** Somebody else's message. */
  received(message: Received): void
  /** Somebody else has done something with a message. @param seq the place of that, where the server gives it one */
  acted?(conversation: string, seq: number): void
  refused(number: number, reason: string): void
  /** The connection is gone; not called after `cut`. */
  closed(code: number, reason: string): void
  /** Where conversations stand, because something may have been lost. */
  heads?(heads: readonly { conversation: string; head: number }[]): void
}

export interface Received {
  readonly conversation: string
  readonly seq: number
  /** The stamp that the sender put into the text. */
  readonly sender: number
  readonly number: number
  readonly sentAtMs: number
}

/** What people do with messages besides sending them. The number is of the message, as the server calls it. */
export type Action =
  | { readonly do: 'react'; readonly message: number; readonly emoji: string }
  | { readonly do: 'edit'; readonly message: number; readonly text: string }
  | { readonly do: 'pin' | 'unpin'; readonly message: number }

/** Where a message goes. */
export interface Target {
  readonly conversation: string
  /** The other one of a direct conversation; undefined in a group. */
  readonly user: string | undefined
}

export interface Messenger {
  /** Resolves when the server says that the person is signed in. @throws Error with the reason of the refusal */
  connect(): Promise<void>
  send(target: Target, number: number, text: string): void
  /** Sides that have no more than messages leave it out. */
  act?(target: Target, number: number, action: Action): void
  /** Everything up to seq has arrived. */
  delivered(conversation: string, seq: number): void
  /** What keeps the connection. */
  ping(): void
  /** Cuts the connection without a word. */
  cut(): void
}

/** Where a server is. */
export interface Address {
  readonly host: string
  readonly port: number
}

export interface Person {
  /** The number of the user and of the session: `idOf('user', number)`. */
  readonly number: number
  /** The address to connect from. */
  readonly from?: string
}

// ── the stamp ──────────────────────────────────────────────────────────────────────────────────────────────────────

const numberDigits = 9
const senderDigits = 6
const timeDigits = 15
const microsPerMs = 1_000
const filler = 'the quick brown fox jumps over the lazy dog and goes home to write down what it saw there, '

/** The text of a message: who sent it, its number, when by the clock of this process, and words up to a length. */
export function writeStamp(sender: number, number: number, sentAtMs: number, length: number): string {
  const micros = Math.round(sentAtMs * microsPerMs)
  const stamp = `${String(sender).padStart(senderDigits, '0')}${String(number).padStart(numberDigits, '0')}${String(micros).padStart(timeDigits, '0')} `
  return stamp + filler.repeat(Math.ceil((length - stamp.length) / filler.length)).slice(0, length - stamp.length)
}

export function readStamp(text: string): { sender: number; number: number; sentAtMs: number } {
  const numberAt = senderDigits
  const timeAt = numberAt + numberDigits
  return {
    sender: Number(text.slice(0, numberAt)),
    number: Number(text.slice(numberAt, timeAt)),
    sentAtMs: Number(text.slice(timeAt, timeAt + timeDigits)) / microsPerMs,
  }
}
