/** What a command of the terminal client is: how it is typed, what it needs, and what it does with what it is given. */
import type { Client, User } from '@flotilla/sdk'
import type { Room, Rooms } from './chat-rooms.ts'
import type { Screen } from './chat-screen.ts'
import type { View } from './chat-view.ts'

/** What commands work on. */
export interface Chat {
  readonly client: Client
  readonly me: User
  readonly rooms: Rooms
  readonly screen: Screen
  readonly view: View
  /** The open conversation. */
  readonly room: Room | undefined
  readonly enter: (room: Room) => Promise<void>
  /** Shows who asks, the conversations and the people. */
  readonly list: () => Promise<void>
  /** Closes the open conversation. */
  readonly close: () => void
  readonly quit: () => void
}

/** By how it is typed, what that does. */
export type Help = Readonly<Record<string, string>>

interface CommandOn<What> {
  /** Missing where the help of another command speaks of this one too. */
  readonly help?: Help
  /** With how many words after its name it is understood. */
  readonly words?: number
  /** @param text the words as they were typed */
  run(chat: What, words: readonly string[], text: string): Promise<void> | void
}

export type Command =
  | (CommandOn<Chat & { readonly room: Room }> & { readonly needs: 'room' })
  | (CommandOn<Chat> & { readonly needs?: never })

export type Commands = Readonly<Record<string, Command>>
