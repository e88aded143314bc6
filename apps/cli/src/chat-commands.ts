/** What is typed with a slash before it: the commands, as the help lists them, and how a line comes to one. */
import { randomUUID } from 'node:crypto'
import { bodyAs, qualifyEmoji, textOf } from '@flotilla/protocol'
import type { ScheduledMessage } from '@flotilla/sdk'
import type { Chat, Command, Commands } from './chat-command.ts'
import { groupCommands } from './chat-groups.ts'
import { contactWords, locationWords, previewOf } from './chat-message.ts'
import type { Room } from './chat-rooms.ts'
import { harmless, type Screen, style } from './chat-screen.ts'
import { settingsCommands } from './chat-settings.ts'
import { readDuration, readWhen, timeOf } from './chat-times.ts'
import type { View } from './chat-view.ts'

export const nothingOpen = 'open a conversation first: /with <name>'

const conversationCommands: Commands = {
  '/with': {
    help: { '/with <name>': 'open the conversation with a person' },
    words: 1,
    async run({ rooms, enter }, [name = '']) {
      await enter(await rooms.withPerson(name))
    },
  },
  '/group': {
    help: { '/group <name> <people…>': 'start a group' },
    words: 1,
    async run({ rooms, enter }, [name = '', ...people]) {
      await enter(await rooms.group(name, people))
    },
  },
  '/saved': {
    help: { '/saved': 'open your saved messages' },
    async run({ rooms, enter }) {
      await enter(await rooms.saved())
    },
  },
  '/list': {
    help: { '/list': 'list conversations, requests and people' },
    async run({ rooms, list }) {
      await rooms.readAll()
      await list()
    },
  },
  '/open': {
    help: { '/open <number>': 'open a conversation from the list' },
    async run({ rooms, screen, enter }, [number]) {
      const room = rooms.all()[Number(number) - 1]
      if (room === undefined) return screen.note('there is no such number: /list')
      await enter(room)
    },
  },
  '/accept': {
    help: { '/accept <name>': 'accept a request' },
    words: 1,
    async run({ rooms, screen, enter }, words) {
      const request = await rooms.requestOf(words.join(' '))
      if (request === undefined) return screen.note(nobodyAsks)
      await enter(await rooms.accept(request))
    },
  },
  '/decline': {
    help: { '/decline <name>': 'decline a request' },
    words: 1,
    async run({ client, rooms, screen }, words) {
      const name = words.join(' ')
      const request = await rooms.requestOf(name)
      if (request === undefined) return screen.note(nobodyAsks)
      await client.rest.conversationRequests.decline(request.id)
      screen.note(`declined: ${harmless(name)}`)
    },
  },
  ...settingsCommands,
}
const nobodyAsks = 'nothing by that name asks you: /list'

const messageCommands: Commands = {
  '/edit': {
    help: { '/edit <text>': 'replace your last message' },
    needs: 'room',
    words: 1,
    run({ client, me, room, screen, view }, _, text) {
      const target = view.last(({ posted }) => posted?.by === me.id)
      if (target === undefined) return screen.note('there is nothing of yours to edit')
      client.edit({ conversation: room.id, target, body: { text } })
    },
  },
  '/delete': {
    help: { '/delete': 'delete your last message for everyone' },
    needs: 'room',
    run({ client, me, room, screen, view }) {
      const target = view.last(({ posted }) => posted?.by === me.id)
      if (target === undefined) return screen.note('there is nothing of yours to delete')
      client.delete(room.id, target)
    },
  },
  '/reply': {
    help: { '/reply <text>': 'reply to the last message of somebody else' },
    needs: 'room',
    words: 1,
    run({ client, me, room, screen, view }, _, text) {
      const replyTo = view.last(({ posted }) => posted?.by !== me.id)
      if (replyTo === undefined) return screen.note('there is nothing to answer')
      view.showOwn(client.send({ conversation: room.id, replyTo, body: { text } }))
    },
  },
  '/forward': {
    help: { '/forward <name>': 'forward the last message to a person' },
    needs: 'room',
    words: 1,
    async run({ client, room, rooms, screen, view }, [name = '']) {
      const seq = view.last()
      if (seq === undefined) return screen.note('there is nothing to forward')
      const { id: conversation, name: whom } = await rooms.withPerson(name)
      client.forward({ conversation, source: { conversation: room.id, seq } })
      screen.note(`forwarded to ${harmless(whom)}`)
    },
  },
  '/react': {
    help: { '/react <emoji>': 'react to the last message; again to undo' },
    needs: 'room',
    words: 1,
    run({ client, room, screen, view }, [typed = '']) {
      const emoji = qualifyEmoji(typed)
      if (emoji === undefined) return screen.note('react with one emoji: /react 👍')
      const target = view.last()
      if (target === undefined) return screen.note('there is nothing to react to')
      const has = view.message(target)?.own?.emojis.includes(emoji) === true
      client.react(room.id, target, emoji, !has)
    },
  },
  '/pin': {
    help: { '/pin, /unpin': 'pin the last message, or unpin the last pinned one' },
    needs: 'room',
    run({ client, room, screen, view }) {
      const target = view.last()
      if (target === undefined) return screen.note('there is nothing to pin')
      client.pin(room.id, target)
    },
  },
  '/unpin': {
    needs: 'room',
    run({ client, room, screen, view }) {
      const target = view.last(({ pin }) => pin?.value === true)
      if (target === undefined) return screen.note('nothing is pinned')
      client.unpin(room.id, target)
    },
  },
  '/star': {
    help: { '/star, /unstar': 'star the last message for yourself, or unstar it' },
    needs: 'room',
    async run({ client, room, screen, view }) {
      const target = view.last()
      if (target === undefined) return screen.note('there is nothing to star')
      await client.rest.star(room.id, target)
      screen.note(`starred: ${view.quoted(target)}`)
    },
  },
  '/unstar': {
    needs: 'room',
    async run({ client, room, screen, view }) {
      const target = view.last()
      if (target === undefined) return screen.note('there is nothing to star')
      await client.rest.unstar(room.id, target)
      screen.note(`not starred any longer: ${view.quoted(target)}`)
    },
  },
  '/stars': {
    help: { '/stars': 'list your starred messages' },
    async run({ client, rooms, screen }) {
      const { stars } = await client.rest.stars()
      screen.note(stars.length === 0 ? 'nothing is starred: /star' : 'starred:')
      for (const { message } of stars) screen.write(`  ${rooms.nameOf(message.by)}: ${previewOf(message.body)}`)
    },
  },
  '/spoiler': {
    help: { '/spoiler': 'reveal the last spoiler' },
    needs: 'room',
    run({ view }) {
      view.reveal()
    },
  },
  '/location': {
    help: { '/location <lat> <lon> [name]': 'send a location' },
    needs: 'room',
    words: 2,
    run({ client, room, view }, [latitude, longitude, ...words]) {
      const name = words.join(' ')
      const place = {
        type: 'location' as const,
        latitude: Number(latitude),
        longitude: Number(longitude),
        ...(name === '' ? {} : { name }),
      }
      view.showOwn(client.send({ conversation: room.id, body: { ...place, fallback: locationWords(place) } }))
    },
  },
  '/contact': {
    help: { '/contact <name>, <details…>': 'send a contact card: numbers, mail, @person' },
    needs: 'room',
    words: 1,
    async run({ client, room, rooms, view }, _, text) {
      const [name = '', ...ways] = text.split(',').map(one => one.trim())
      const person = ways.find(way => way.startsWith('@'))
      const emails = ways.filter(way => way.includes('@') && way !== person)
      const phones = ways.filter(way => !way.includes('@'))
      const user = person === undefined ? undefined : await rooms.personOf(person.slice(1))
      const card = {
        type: 'contact' as const,
        name,
        ...(phones.length === 0 ? {} : { phones }),
        ...(emails.length === 0 ? {} : { emails }),
        ...(user === undefined ? {} : { user: user.id }),
      }
      const fallback = contactWords(card, () => user?.username)
      view.showOwn(client.send({ conversation: room.id, body: { ...card, fallback } }))
    },
  },
}

const discussionCommands: Commands = {
  '/thread': {
    help: {
      '/thread <number> [text]': 'reply in a thread; without text, read it',
      '/thread new [text]': 'the same for the last message',
    },
    needs: 'room',
    words: 1,
    async run({ client, room, rooms, screen, view }, [which, ...words]) {
      const conversation = room.id
      const thread = which === 'new' ? view.last(({ posted }) => posted?.thread === undefined) : Number(which)
      if (thread === undefined || !Number.isInteger(thread)) return screen.note('there is no such thread')
      if (words.length > 0) return view.showOwn(client.send({ conversation, thread, body: { text: words.join(' ') } }))
      const { root, messages } = await client.rest.threads.read(conversation, thread)
      const line = ({ by, body }: typeof root) => harmless(`${rooms.nameOf(by)}: ${textOf(body)}`)
      screen.note(`thread ${thread}: ${line(root)}`)
      for (const message of messages) screen.note(`  ${line(message)}`)
      const seen = messages.at(-1)?.seq
      if (seen !== undefined) await client.rest.threads.markRead(conversation, thread, seen)
    },
  },
  '/poll': {
    help: { '/poll <question> | <a> | <b>…': 'start a poll' },
    needs: 'room',
    words: 1,
    run({ client, room, view }, _, text) {
      const [question = '', ...options] = text.split('|').map(part => part.trim())
      view.showOwn(client.ask({ conversation: room.id, question, options }))
    },
  },
  '/vote': {
    help: { '/vote [numbers…]': 'vote in the last poll; without numbers, take your vote back' },
    needs: 'room',
    run({ client, room, screen, view }, numbers) {
      const target = lastPoll(view)
      const options = numbers.map(number => Number(number) - 1)
      if (target === undefined) return screen.note('there is no poll')
      if (!options.every(option => option >= 0)) return screen.note('vote by the numbers of the options: /vote 1')
      client.vote(room.id, target, options)
    },
  },
  '/close': {
    help: { '/close': 'close the last poll' },
    needs: 'room',
    run({ client, room, screen, view }) {
      const target = lastPoll(view)
      if (target === undefined) return screen.note('there is no poll')
      client.closePoll(room.id, target)
    },
  },
}

const lastPoll = (view: View) =>
  view.last(({ content }) => content !== undefined && bodyAs('poll', content.value.body) !== undefined)

const laterCommands: Commands = {
  '/schedule': {
    help: { '/schedule <when> <text>': 'send a message later: 10m, 2h, 09:30, 2027-03-28T09:30' },
    needs: 'room',
    words: 2,
    run: (chat, [time = '', ...words]) => scheduleMessage(chat, time, words),
  },
  '/later': {
    help: { '/later <number> <when> <text>': 'the same, as a reply in a thread' },
    needs: 'room',
    words: 3,
    run(chat, [number, time = '', ...words]) {
      const thread = Number(number)
      if (!Number.isInteger(thread)) return chat.screen.note('there is no such thread')
      return scheduleMessage(chat, time, words, { thread })
    },
  },
  '/scheduled': {
    help: { '/scheduled': 'list scheduled messages' },
    needs: 'room',
    async run({ client, room, screen }) {
      const { scheduled } = await client.rest.scheduled.list({ conversation: room.id })
      if (scheduled.length === 0) return screen.note('nothing is scheduled here: /schedule 10m hello')
      for (const [at, message] of scheduled.entries()) noteScheduled(screen, message, `${at + 1}. `)
    },
  },
  '/unschedule': {
    help: { '/unschedule <number>': 'cancel one from the list' },
    needs: 'room',
    words: 1,
    async run({ client, room, screen }, [number]) {
      const { scheduled } = await client.rest.scheduled.list({ conversation: room.id })
      const one = scheduled[Number(number) - 1]
      if (one === undefined) return screen.note('there is no such number: /scheduled')
      await client.rest.scheduled.cancel(one.id)
      screen.note(`not sent: ${harmless(textOf(one.body))}`)
    },
  },
  '/remind': {
    help: { '/remind <when>': 'set a reminder for the last message' },
    needs: 'room',
    words: 1,
    async run({ client, room, screen, view }, [time = '']) {
      const when = readWhen(time, new Date())
      const seq = view.last()
      if (when === undefined || seq === undefined)
        return screen.note('there is nothing to remind you of, or no such time')
      const { at } = await client.rest.reminders.set(room.id, seq, when.at ?? Date.parse(when.local.time))
      screen.note(`you are reminded at ${timeOf(at)}`)
    },
  },
  '/disappear': {
    help: { '/disappear <1h…90d|off>': 'set how long new messages last here' },
    needs: 'room',
    words: 1,
    async run({ client, room, screen }, [duration = '']) {
      const timerMs = duration === 'off' ? null : readDuration(duration)
      if (timerMs === undefined) return screen.note('say how long: 1h, 7d, or off')
      await client.rest.setTimer(room.id, timerMs)
    },
  },
}

async function scheduleMessage(
  { client, room, screen }: Chat & { readonly room: Room },
  time: string,
  words: readonly string[],
  place: { readonly thread?: number } = {},
): Promise<void> {
  const when = readWhen(time, new Date())
  if (when === undefined) return screen.note(`no time: ${harmless(time)}. Say 10m, 2h, 09:30 or 2027-03-28T09:30`)
  const message = { conversation: room.id, clientId: randomUUID(), body: { text: words.join(' ') }, ...place }
  noteScheduled(screen, await client.rest.scheduled.schedule({ ...message, ...when }))
}

function noteScheduled(screen: Screen, message: ScheduledMessage, number = ''): void {
  const { conversation, id, at, body, thread, state, failure } = message
  const how = state === 'failed' ? `not sent (${failure})` : `is sent at ${timeOf(at)}`
  const about = { event: 'scheduled', conversation, clientId: id, at, thread, text: textOf(body), state }
  const place = thread === undefined ? '' : ` in thread ${thread}`
  screen.note(`${number}${how}${place}: ${harmless(textOf(body))}`, about)
}

const otherCommands: Commands = {
  '/help': {
    help: { '/help': 'show this list' },
    run({ screen }) {
      writeHelp(screen)
    },
  },
  '/quit': {
    help: { '/quit': 'quit' },
    run({ quit }) {
      quit()
    },
  },
}

const sections: Readonly<Record<string, Commands>> = {
  Conversations: conversationCommands,
  Messages: messageCommands,
  'Threads and polls': discussionCommands,
  'For later': laterCommands,
  Groups: groupCommands,
  Other: otherCommands,
}
const commands: ReadonlyMap<string, Command> = new Map(Object.values(sections).flatMap(Object.entries<Command>))

/** Does what is typed. What is not understood is answered by the help. */
export async function runCommand(chat: Chat, line: string): Promise<void> {
  const [name = '', ...words] = line.split(/\s+/)
  const text = line.slice(name.length).trim()
  const { room, screen } = chat
  const command = commands.get(name)
  if (command?.needs === 'room' && room === undefined) return screen.note(nothingOpen)
  if (command === undefined || words.length < (command.words ?? 0)) return writeHelp(screen)
  await (command.needs === 'room' ? command.run({ ...chat, room: room! }, words, text) : command.run(chat, words, text))
}

const usageWidth = 28

function writeHelp(screen: Screen): void {
  for (const [title, section] of Object.entries(sections)) {
    screen.write(style.dim(title))
    for (const [usage, meaning] of Object.values(section).flatMap(({ help = {} }) => Object.entries(help)))
      screen.write(style.dim(`  ${usage.padEnd(usageWidth)}  ${meaning}`))
  }
  screen.write(style.dim('Anything else is sent as a message.'))
}
