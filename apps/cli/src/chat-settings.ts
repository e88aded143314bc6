/** What a conversation is to the person alone: the commands that change it, and what follows for what is announced. */
import { type Body, mentionsAll, mentionsOf, type TextBody } from '@flotilla/protocol'
import { type Client, type ConversationSettings, mutedForEver, type User } from '@flotilla/sdk'
import type { Command, Commands, Help } from './chat-command.ts'
import type { Room } from './chat-rooms.ts'
import { harmless } from './chat-screen.ts'

interface Done {
  readonly change: Parameters<Client['rest']['changeSettings']>[1]
  readonly note: string
  /** Reading on would undo it. */
  readonly closes?: true
}

/** @param done what the command does, by what is set and by its first word */
const setting = (help: Help, done: (settings: ConversationSettings, word: string | undefined) => Done): Command => ({
  help,
  needs: 'room',
  async run({ client, room, screen, close }, [word]) {
    const { change, note, closes } = done(room.settings, word)
    room.settings = await client.rest.changeSettings(room.id, change)
    screen.note(`${harmless(room.name)}: ${note}`)
    if (closes === true) close()
  },
})

export const settingsCommands: Commands = {
  '/mute': setting({ '/mute [mentions|off]': 'mute it, or all but mentions; off to unmute' }, (_, word) => {
    if (word === 'mentions')
      return { change: { notify: 'mentions', mutedUntilMs: null }, note: 'only mentions are announced' }
    if (word === 'off') return { change: { notify: null, mutedUntilMs: null }, note: 'no longer muted' }
    return { change: { mutedUntilMs: mutedForEver }, note: 'muted' }
  }),
  '/unread': setting({ '/unread': 'mark it as unread, and close it' }, () => {
    return { change: { unreadFrom: 0 }, note: 'marked as unread', closes: true }
  }),
  '/archive': setting({ '/archive': 'archive it until something new arrives; again to undo' }, ({ archived }) => {
    if (archived) return { change: { archived: false }, note: 'back in the list' }
    return { change: { archived: true }, note: 'archived', closes: true }
  }),
  '/top': setting({ '/top': 'pin it to the top of the list; again to undo' }, ({ pinned }) => {
    if (pinned !== null) return { change: { pinned: false }, note: 'no longer pinned' }
    return { change: { pinned: true }, note: 'pinned to the top' }
  }),
}

const mentionsMe = (body: Body, me: User) => mentionsAll(body) || mentionsOf(body).includes(me.id)

/** Whether a message is announced, and whether it mentions the person. */
export function announces({ kind, settings }: Room, body: Body, me: User): { told: boolean; mention: boolean } {
  const mention = mentionsMe(body, me)
  const isMuted = (settings.mutedUntil ?? 0) > Date.now() || settings.notify === 'nothing'
  const isSilent = settings.notify === 'mentions' && kind === 'group' && !mention
  return { told: !isMuted && !isSilent, mention }
}

/** What is typed, with whom it names: `@bob`, or `@everyone`. */
export function bodyOf(text: string, { others }: Room): TextBody {
  const named = new Set(text.match(/(?<![\w@])@[\w.-]+/g)?.map(name => name.slice(1).toLowerCase()))
  const mentions = others.filter(user => named.has(user.username.toLowerCase())).map(user => user.id)
  return {
    text,
    ...(mentions.length > 0 ? { mentions } : {}),
    ...(named.has('everyone') ? { mentionsAll: true as const } : {}),
  }
}
