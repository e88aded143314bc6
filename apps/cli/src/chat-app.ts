/**
 * The terminal client's behaviour: what a typed line does, and what is shown of what happens. It stands on the doors of
 * the SDK alone, as any application would.
 */
import { randomUUID } from 'node:crypto'
import {
  type Body,
  bodyAs,
  conversationOf,
  emptyConversation,
  type Entry,
  type EntryOf,
  fold,
  foldReaction,
  isolated,
  type MessageState,
  type PostedBody,
  qualifyEmoji,
  quoteOf,
  type ReactionCounts,
  textOf,
} from '@flotilla/protocol'
import { previewText } from '@flotilla/protocol/markup'
import {
  type Client,
  type ConversationRequest,
  FlotillaError,
  type Message,
  type ScheduledMessage,
  type Send,
  type User,
} from '@flotilla/sdk'
import { actOf, groupHelp, inWords } from './chat-groups.ts'
import { contactWords, hasSpoiler, linesOf, locationWords } from './chat-message.ts'
import { nameOfRequest, type Room, Rooms } from './chat-rooms.ts'
import { durationOf, readDuration, readWhen, timeOf } from './chat-times.ts'
import { type About, harmless, type Line, type Screen, style } from './chat-screen.ts'
import { announces, bodyOf, settingsCommand, settingsHelp } from './chat-settings.ts'

const finishMsMax = 5_000
const previewGraphemesMax = 160

/** One of our own messages on the screen, and how far it has come. */
interface OwnMessage {
  readonly line: Line
  readonly clientId: string
  body: Body
  readonly room: string
  seq: number | undefined
  mark: keyof typeof marks
}

/** What somebody wrote, as it is told to programs. */
const messageOf = ({ conversation, seq, at, body }: EntryOf<'message.new'>, by: string): About => ({
  event: 'message',
  conversation,
  seq,
  at,
  by,
  text: textOf(body),
})

/** An entry that makes a message say something else. */
type Changing = Pick<Entry, 'conversation' | 'seq'> & {
  readonly target: number
  readonly event: 'message.edited' | 'message.removed' | 'message.deleted' | 'messages.expired'
}
/** The beginning of a message of another conversation. */
const previewOf = (body: Body) =>
  bodyAs('text', body) === undefined ? harmless(textOf(body)) : harmless(previewText(textOf(body), previewGraphemesMax))

/** The number by which a thread is read and answered, before what is said there. */
const threadOf = ({ thread }: { readonly thread?: number | undefined }): string =>
  thread === undefined ? '' : `↳ ${thread} `

const marks = { sending: '…', sent: '✓', delivered: '✓✓', read: '✓✓ read', failed: '✗' }

/** What the list says of a conversation in which something waits. */
function waiting({ unread, mentions, settings }: Room): string {
  const said = [
    ...(unread > 0 ? [`${unread} new`] : []),
    ...(mentions > 0 ? [`${mentions} for you`] : []),
    ...(unread === 0 && settings.unreadFrom !== null ? ['unread'] : []),
  ]
  return said.length === 0 ? '' : style.bold(` (${said.join(', ')})`)
}

const help = [
  'Conversations',
  '  /with <name>                  open the conversation with a person',
  '  /group <name> <people…>       start a group',
  '  /list                         list conversations, requests and people',
  '  /open <number>                open a conversation from the list',
  '  /accept <name>                accept a request',
  '  /decline <name>               decline a request',
  ...settingsHelp,
  'Messages',
  '  /edit <text>                  replace your last message',
  '  /delete                       delete your last message for everyone',
  '  /reply <text>                 reply to the last message of somebody else',
  '  /forward <name>               forward the last message to a person',
  '  /react <emoji>                react to the last message; again to undo',
  '  /pin, /unpin                  pin the last message, or unpin the last pinned one',
  '  /star, /unstar                star the last message for yourself, or unstar it',
  '  /stars                        list your starred messages',
  '  /spoiler                      reveal the last spoiler',
  '  /location <lat> <lon> [name]  send a location',
  '  /contact <name>, <details…>   send a contact card: numbers, mail, @person',
  'Threads and polls',
  '  /thread <number> [text]       reply in a thread; without text, read it',
  '  /thread new [text]            the same for the last message',
  '  /poll <question> | <a> | <b>… start a poll',
  '  /vote [numbers…]              vote in the last poll; without numbers, take your vote back',
  '  /close                        close the last poll',
  'For later',
  '  /schedule <when> <text>       send a message later: 10m, 2h, 09:30, 2027-03-28T09:30',
  '  /scheduled                    list scheduled messages',
  '  /unschedule <number>          cancel one from the list',
  '  /remind <when>                set a reminder for the last message',
  '  /disappear <1h…90d|off>       set how long new messages last here',
  'Groups',
  ...groupHelp,
  'Other',
  '  /help                         show this list',
  '  /quit                         quit',
  'Anything else is sent as a message.',
]

/** How many have reacted with what, behind what else is said. */
const tally = (counts: ReactionCounts) =>
  counts.length === 0 ? '' : ` (${counts.map(({ emoji, count }) => `${emoji} ${count}`).join(', ')})`

export class ChatApp {
  readonly #client: Client
  readonly #screen: Screen
  readonly #me: User
  readonly #rooms: Rooms
  readonly #typists = new Set<string>()
  readonly #quit: () => void
  /** Our messages in the open room, by clientId. */
  readonly #own = new Map<string, OwnMessage>()
  /** The seqs on the screen, so that a page of history and live entries do not show one twice. */
  readonly #shown = new Set<number>()
  /** Of the messages on the screen that others wrote, the lines; and what is known of the open room. */
  readonly #others = new Map<number, Line>()
  /** Messages whose spoilers were asked for, by seq. */
  readonly #revealed = new Set<number>()
  #state = emptyConversation
  /** What is older than this run is history, and not announced. */
  readonly #since: number
  /** Whom to talk to at first. */
  readonly #person: string | undefined
  readonly #online = new Set<string>()
  #open: Room | undefined
  #wasLive = false
  readonly #connectedOnce = Promise.withResolvers<void>()
  /** One thing after the other, so that lines come in the order of what was typed and what happened. */
  #work: Promise<void> = this.#connectedOnce.promise

  constructor(parts: {
    client: Client
    screen: Screen
    me: User
    person: string | undefined
    now: number
    quit: () => void
  }) {
    this.#person = parts.person
    this.#client = parts.client
    this.#screen = parts.screen
    this.#me = parts.me
    this.#since = parts.now
    this.#quit = parts.quit
    this.#rooms = new Rooms(parts.client, parts.me)
    this.#listen()
    this.#then(() => this.#begin())
  }

  /** Nothing more will be typed: lets what was typed come to its end, if that does not take too long. */
  async finish(): Promise<void> {
    const acknowledged = () => Promise.allSettled(this.#client.pending().map(send => send.acknowledged))
    const late = new Promise(resolve => setTimeout(resolve, finishMsMax))
    await Promise.race([this.#work.then(acknowledged), late])
  }

  // ---- what is typed ------------------------------------------------------------------------------------------------

  typed(line: string): void {
    const text = line.trim()
    if (text === '') return
    if (text === '/quit') return this.#quit()
    this.#then(() => (text.startsWith('/') ? this.#command(text) : this.#sendText(text)))
  }

  /** A keystroke: what stands in the input line. */
  key(text: string): void {
    if (this.#open === undefined) return
    if (text === '' || text.startsWith('/')) this.#client.stopTyping(this.#open.id)
    else this.#client.typing(this.#open.id)
  }

  async #command(text: string): Promise<void> {
    const [command, first, ...rest] = text.split(/\s+/)
    if (command === '/with' && first !== undefined) return this.#enter(await this.#rooms.withPerson(first))
    if (command === '/group' && first !== undefined) return this.#enter(await this.#rooms.group(first, rest))
    if (command === '/open') {
      const room = this.#rooms.all()[Number(first) - 1]
      return room === undefined ? this.#note('there is no such number: /list') : this.#enter(room)
    }
    if ((command === '/accept' || command === '/decline') && first !== undefined)
      return this.#answer(command, [first, ...rest].join(' '))
    if (command === '/edit' && first !== undefined && this.#open !== undefined)
      return this.#edit(this.#open.id, text.slice(command.length).trim())
    if (command === '/reply' && first !== undefined && this.#open !== undefined)
      return this.#reply(this.#open.id, text.slice(command.length).trim())
    if (command === '/forward' && first !== undefined && this.#open !== undefined)
      return this.#forward(this.#open.id, first)
    if (command === '/delete' && this.#open !== undefined) return this.#delete(this.#open.id)
    if ((command === '/pin' || command === '/unpin') && this.#open !== undefined)
      return this.#pin(command, this.#open.id)
    if (this.#open !== undefined && (await this.#discuss(this.#open.id, text))) return
    if (command === '/join' && first !== undefined) return this.#join(first)
    const act = actOf(command)
    if (act !== undefined && this.#open !== undefined) {
      const said = await act(this.#client, this.#open.id, first === undefined ? [] : [first, ...rest])
      return said === undefined ? undefined : this.#note(said)
    }
    if (
      this.#open !== undefined &&
      first !== undefined &&
      (await this.#timed(this.#open.id, command!, [first, ...rest]))
    )
      return
    if (command === '/scheduled') return this.#listScheduled()
    if (command === '/spoiler') return this.#reveal()
    if (command === '/location' && rest.length > 0) return this.#sendLocation(Number(first), rest)
    if (command === '/contact' && first !== undefined) return this.#sendContact(text.slice(command.length))
    const settings = this.#open === undefined ? undefined : settingsCommand(command!, first, this.#open)
    if (settings !== undefined && this.#open !== undefined) return this.#changeSettings(this.#open, settings)
    if (command === '/react' && first !== undefined && this.#open !== undefined)
      return this.#react(this.#open.id, first)
    if ((command === '/star' || command === '/unstar') && this.#open !== undefined)
      return this.#star(command, this.#open.id)
    if (command === '/stars') return this.#listStars()
    if (command === '/leave' && this.#open !== undefined) {
      await this.#client.rest.removeMember(this.#open.id, this.#me.id)
      return
    }
    if (command === '/list') {
      await this.#rooms.readAll()
      await this.#listRequests()
      return this.#list()
    }
    for (const line of help) this.#screen.write(style.dim(line))
  }

  async #answer(command: '/accept' | '/decline', name: string): Promise<void> {
    const request = await this.#rooms.requestOf(name)
    if (request === undefined) return this.#note(`nothing by that name asks you: /list`)
    if (command === '/accept') return this.#enter(await this.#rooms.accept(request))
    await this.#client.rest.conversationRequests.decline(request.id)
    this.#note(`declined: ${harmless(name)}`)
  }

  async #join(token: string): Promise<void> {
    const joined = await this.#client.rest.groups.join(token)
    if ('id' in joined) return this.#enter(await this.#rooms.read(joined.id))
    this.#note(`you have asked to join ${harmless(joined.name)}`)
  }

  /** What is to happen at a time, in the open room. @returns whether the command was one of these */
  async #timed(
    conversation: string,
    command: string,
    [first, ...rest]: readonly [string, ...string[]],
  ): Promise<boolean> {
    const { scheduled, reminders, setTimer } = this.#client.rest
    if (command === '/schedule' && rest.length > 0) {
      const when = readWhen(first, new Date())
      if (when === undefined) this.#note(`no time: ${harmless(first)}. Say 10m, 2h, 09:30 or 2027-03-28T09:30`)
      else {
        const message = { conversation, clientId: randomUUID(), body: { text: rest.join(' ') } }
        this.#showScheduled(await scheduled.schedule({ ...message, ...when }))
      }
    } else if (command === '/unschedule') {
      const one = (await scheduled.list({ conversation })).scheduled[Number(first) - 1]
      if (one === undefined) this.#note('there is no such number: /scheduled')
      else await scheduled.cancel(one.id).then(() => this.#note(`not sent: ${harmless(textOf(one.body))}`))
    } else if (command === '/remind') {
      const when = readWhen(first, new Date())
      const seq = this.#last()
      if (when === undefined || seq === undefined) this.#note('there is nothing to remind you of, or no such time')
      else {
        const { at } = await reminders.set(conversation, seq, when.at ?? Date.parse(when.local.time))
        this.#note(`you are reminded at ${timeOf(at)}`)
      }
    } else if (command === '/disappear') {
      const timerMs = first === 'off' ? null : readDuration(first)
      if (timerMs === undefined) this.#note('say how long: 1h, 7d, or off')
      else await setTimer(conversation, timerMs)
    } else return false
    return true
  }

  async #listScheduled(): Promise<void> {
    if (this.#open === undefined) return this.#note('open a conversation first: /with <name>')
    const { scheduled } = await this.#client.rest.scheduled.list({ conversation: this.#open.id })
    if (scheduled.length === 0) return this.#note('nothing is scheduled here: /schedule 10m hello')
    for (const [at, message] of scheduled.entries()) this.#showScheduled(message, `${at + 1}. `)
  }

  #showScheduled({ conversation, id, at, body, state, failure }: ScheduledMessage, number = ''): void {
    const how = state === 'failed' ? `not sent (${failure})` : `is sent at ${timeOf(at)}`
    const about = { event: 'scheduled', conversation, clientId: id, at, text: textOf(body), state }
    this.#note(`${number}${how}: ${harmless(textOf(body))}`, about)
  }

  #edit(conversation: string, text: string): void {
    const target = this.#last(({ posted }) => posted?.by === this.#me.id)
    if (target === undefined) return this.#note('there is nothing of yours to edit')
    this.#client.edit({ conversation, target, body: { text } })
  }

  #reply(conversation: string, text: string): void {
    const replyTo = this.#last(({ posted }) => posted?.by !== this.#me.id)
    if (replyTo === undefined) return this.#note('there is nothing to answer')
    this.#say({ conversation, replyTo, body: { text } })
  }

  async #forward(conversation: string, name: string): Promise<void> {
    const seq = this.#last()
    if (seq === undefined) return this.#note('there is nothing to forward')
    const room = await this.#rooms.withPerson(name)
    this.#client.forward({ conversation: room.id, source: { conversation, seq } })
    this.#note(`forwarded to ${harmless(room.name)}`)
  }

  #delete(conversation: string): void {
    const target = this.#last(({ posted }) => posted?.by === this.#me.id)
    if (target === undefined) return this.#note('there is nothing of yours to delete')
    this.#client.delete(conversation, target)
  }

  #pin(command: '/pin' | '/unpin', conversation: string): void {
    const target = this.#last(one => command === '/pin' || one.pin?.value === true)
    if (target === undefined) return this.#note(command === '/pin' ? 'there is nothing to pin' : 'nothing is pinned')
    if (command === '/pin') this.#client.pin(conversation, target)
    else this.#client.unpin(conversation, target)
  }

  /** The seq of the last message that is there, of those of which this holds. */
  #last(holds: (message: MessageState, seq: number) => boolean = () => true): number | undefined {
    const messages = [...this.#state.messages].sort(([one], [other]) => one - other)
    const isMeant = (one: MessageState, seq: number) =>
      one.posted !== undefined && one.content?.value.removed === undefined && holds(one, seq)
    return messages.findLast(([seq, one]) => isMeant(one, seq))?.[0]
  }

  #react(conversation: string, typed: string): void {
    const emoji = qualifyEmoji(typed)
    if (emoji === undefined) return this.#note('react with one emoji: /react 👍')
    const target = this.#last()
    if (target === undefined) return this.#note('there is nothing to react to')
    const has = this.#state.messages.get(target)?.own?.emojis.includes(emoji) === true
    this.#client.react(conversation, target, emoji, !has)
  }

  async #star(command: '/star' | '/unstar', conversation: string): Promise<void> {
    const target = this.#last()
    if (target === undefined) return this.#note('there is nothing to star')
    await (command === '/star'
      ? this.#client.rest.star(conversation, target)
      : this.#client.rest.unstar(conversation, target))
    this.#note(`${command === '/star' ? 'starred' : 'not starred any longer'}: ${this.#quoted(target)}`)
  }

  async #listStars(): Promise<void> {
    const { stars } = await this.#client.rest.stars()
    this.#note(stars.length === 0 ? 'nothing is starred: /star' : 'starred:')
    for (const { message } of stars)
      this.#screen.write(`  ${this.#rooms.nameOf(message.by)}: ${harmless(previewOf(message.body))}`)
  }

  /** What is typed about polls and threads. @returns whether it was that */
  async #discuss(conversation: string, text: string): Promise<boolean> {
    const [command, first = '', ...rest] = text.split(/\s+/)
    if (command === '/poll') this.#ask(conversation, text.slice(command.length))
    else if (command === '/vote' || command === '/close') this.#vote(command, conversation, [first, ...rest])
    else if (command === '/thread' && first !== '') await this.#thread(conversation, first, rest.join(' '))
    else return false
    return true
  }

  #ask(conversation: string, text: string): void {
    const [question = '', ...options] = text.split('|').map(part => part.trim())
    const send = this.#client.ask({ conversation, question, options })
    if (send.op === 'message.send')
      this.#showOwn(send.clientId, { room: conversation, body: send.body, seq: undefined, mark: 'sending' })
  }

  #vote(command: '/vote' | '/close', conversation: string, numbers: readonly string[]): void {
    const target = this.#last(
      ({ content }) => content !== undefined && bodyAs('poll', content.value.body) !== undefined,
    )
    const options = numbers.filter(number => number !== '').map(number => Number(number) - 1)
    if (target === undefined) return this.#note('there is no poll')
    if (command === '/close') this.#client.closePoll(conversation, target)
    else if (options.every(option => option >= 0)) this.#client.vote(conversation, target, options)
    else this.#note('vote by the numbers of the options: /vote 1')
  }

  async #thread(conversation: string, which: string, text: string): Promise<void> {
    const thread = which === 'new' ? this.#last(({ posted }) => posted?.thread === undefined) : Number(which)
    if (thread === undefined || !Number.isInteger(thread)) return this.#note('there is no such thread')
    if (text !== '') return this.#say({ conversation, thread, body: { text } })
    const { root, messages } = await this.#client.rest.threads.read(conversation, thread)
    const line = (entry: EntryOf<'message.new'>) => `${this.#rooms.nameOf(entry.by)}: ${textOf(entry.body)}`
    this.#note(`thread ${thread}: ${harmless(line(root))}`)
    for (const message of messages) this.#note(`  ${harmless(line(message))}`)
    const seen = messages.at(-1)?.seq
    if (seen !== undefined) await this.#client.rest.threads.markRead(conversation, thread, seen)
  }

  async #changeSettings(room: Room, { change, note, closes }: NonNullable<ReturnType<typeof settingsCommand>>) {
    room.settings = await this.#client.rest.changeSettings(room.id, change)
    this.#note(`${harmless(room.name)}: ${note}`)
    if (closes === true) this.#open = undefined
    this.#status()
  }

  #sendText(text: string): void {
    this.#send(this.#open === undefined ? { text } : bodyOf(text, this.#open))
  }

  #send(body: PostedBody): void {
    if (this.#open === undefined) return this.#note('open a conversation first: /with <name>')
    this.#say({ conversation: this.#open.id, body })
  }

  #say(message: Message): void {
    const { conversation: room, body } = message
    this.#showOwn(this.#client.send(message).clientId, { room, body, seq: undefined, mark: 'sending' })
  }

  #sendLocation(latitude: number, [longitude, ...words]: readonly string[]): void {
    const name = words.join(' ')
    const place = { latitude, longitude: Number(longitude), ...(name === '' ? {} : { name }) }
    this.#send({ type: 'location', ...place, fallback: locationWords({ type: 'location', ...place }) })
  }

  async #sendContact(text: string): Promise<void> {
    const [name = '', ...ways] = text.split(',').map(one => one.trim())
    const person = ways.find(way => way.startsWith('@'))
    const emails = ways.filter(way => way.includes('@') && way !== person)
    const phones = ways.filter(way => !way.includes('@'))
    const user = person === undefined ? undefined : await this.#rooms.personOf(person.slice(1))
    const card = {
      type: 'contact' as const,
      name,
      ...(phones.length === 0 ? {} : { phones }),
      ...(emails.length === 0 ? {} : { emails }),
      ...(user === undefined ? {} : { user: user.id }),
    }
    this.#send({ ...card, fallback: contactWords(card, () => user?.username) })
  }

  // ---- what is shown ------------------------------------------------------------------------------------------------

  async #listRequests(): Promise<void> {
    for (const request of await this.#rooms.requests()) this.#showRequest(request)
  }

  /** One who was named at the start may come in: that was one's own wish. */
  async #asked(request: ConversationRequest): Promise<void> {
    const isWanted = request.kind === 'direct' && request.from.username === this.#person
    if (this.#open === undefined && isWanted) return this.#enter(await this.#rooms.accept(request))
    // Of what somebody says while they ask, the first word is enough.
    if (request.messages <= 1) this.#showRequest(request)
  }

  #showRequest(request: ConversationRequest): void {
    const name = harmless(nameOfRequest(request))
    const what =
      request.kind === 'group' ? `${request.from.username} asks you into ${name}` : `${name} asks to talk to you`
    this.#note(`${what}: /accept ${name} or /decline ${name}`, {
      event: 'request',
      conversation: request.conversation,
      by: request.from.username,
    })
  }

  #list(): void {
    const rooms = this.#rooms.all()
    this.#note(rooms.length === 0 ? 'no conversations yet: /with <name>, or /help' : 'conversations:')
    for (const [at, room] of rooms.entries()) {
      const top = room.settings.pinned === null ? '' : '^ '
      this.#screen.write(`  ${at + 1}. ${top}${this.#dot(room)}${harmless(room.name)}${waiting(room)}`)
    }
    const people = this.#rooms.people()
    if (people.length > 0)
      this.#note(`people: ${people.map(user => `${this.#dotOf(user.id)} ${user.username}`).join('  ')}`)
    this.#status()
  }

  async #enter(room: Room): Promise<void> {
    this.#open = room
    this.#screen.clear()
    this.#shown.clear()
    this.#own.clear()
    this.#others.clear()
    this.#revealed.clear()
    this.#state = conversationOf(this.#me.id)
    this.#note(`— ${harmless(room.name)} —`)
    const fresh = await this.#rooms.read(room.id)
    if (fresh.pending) this.#note(`${harmless(room.name)} is asked first: until they accept, few messages can be sent`)
    for (const entry of await this.#rooms.latest(fresh)) this.#show(entry)
    for (const send of this.#client.pending())
      if (send.op === 'message.send' && send.conversation === room.id)
        this.#showOwn(send.clientId, { room: room.id, body: send.body, seq: undefined, mark: 'sending' })
    this.#status()
  }

  /** An entry of the open room. */
  #show(entry: Entry): void {
    this.#client.markRead(entry.conversation, entry.seq)
    if (this.#shown.has(entry.seq)) return
    this.#shown.add(entry.seq)
    this.#state = fold(this.#state, entry)
    const by = this.#rooms.nameOf(entry.by)
    switch (entry.event) {
      case 'message.new':
        return this.#message(entry, by)
      case 'message.edited':
      case 'message.removed':
      case 'message.deleted':
        return this.#changed(entry)
      case 'message.pinned':
      case 'message.unpinned':
        return this.#pinned(entry, by)
      case 'messages.expired':
        for (const target of entry.targets) this.#changed({ ...entry, target })
        return
      case 'conversation.timer_changed':
        return this.#note(
          entry.timerMs === null
            ? `${by} lets messages stay`
            : `${by} lets messages disappear after ${durationOf(entry.timerMs)}`,
        )
      case 'message.reacted':
        return this.#note(
          `${by} ${entry.on ? 'reacted' : 'took back'} ${entry.emoji} to ${this.#quoted(entry.target)}${tally(entry.counts)}`,
        )
      case 'reaction.counted':
        for (const { target, counts } of entry.messages) this.#note(`${this.#quoted(target)}${tally(counts)}`)
        return
      case 'poll.voted':
      case 'poll.counted':
      case 'poll.closed':
        return this.#polled(entry)
      case 'conversation.created':
      case 'conversation.renamed':
      case 'conversation.changed':
      case 'member.added':
      case 'member.removed':
      case 'member.left':
      case 'member.silenced':
      case 'member.changed':
        return this.#note(inWords(entry, user => this.#rooms.nameOf(user)))
    }
  }

  #message(entry: EntryOf<'message.new'>, by: string): void {
    this.#quote(entry)
    if (entry.by !== this.#me.id) {
      const line = this.#screen.write(
        this.#theirs(by, entry.body, false, `${threadOf(entry)}${this.#originOf(entry)}`),
        messageOf(entry, by),
      )
      this.#others.set(entry.seq, line)
      return
    }
    const own = this.#own.get(entry.clientId)
    const before = { room: entry.conversation, body: entry.body, seq: entry.seq, mark: 'sent' as const }
    if (own === undefined) this.#showOwn(entry.clientId, before)
    else own.seq = entry.seq
    this.#refreshMarks()
  }

  /** What a message answers stands above it. */
  #quote(entry: EntryOf<'message.new'>): void {
    const quote = quoteOf(this.#state, entry)
    if (quote === undefined) return
    const { state, by, body } = quote
    const said = state === 'shown' && body !== undefined ? isolated(previewOf(body)) : `(${state})`
    this.#note(`answers ${by === undefined ? '' : `${this.#rooms.nameOf(by)}: `}${said}`)
  }

  #originOf({ forwarded }: EntryOf<'message.new'>): string {
    if (forwarded === undefined) return ''
    return style.dim(`(forwarded${forwarded.by === undefined ? '' : ` from ${this.#rooms.nameOf(forwarded.by)}`}) `)
  }

  /** A message that is on the screen says something else now. */
  #changed({ conversation, seq, target, event }: Changing): void {
    const { posted, content } = this.#state.messages.get(target) ?? {}
    // Of an older message, or one that has been changed once more, there is nothing to show.
    if (posted === undefined || content?.seq !== seq) return
    this.#revealed.delete(target)
    const own = this.#own.get(posted.clientId)
    const by = this.#rooms.nameOf(posted.by)
    const { body } = content.value
    const what = event.slice(event.indexOf('.') + 1)
    const news = what === 'expired' ? `* ${this.#lines(body)}` : `* ${by} ${what}: ${this.#lines(body)}`
    const about = { event: what, conversation, seq: target, by, text: textOf(body) }
    if (own === undefined) return this.#others.get(target)?.set(this.#theirs(by, body), news, about)
    own.body = body
    own.line.set(`${style.bold('me')}: ${this.#lines(body)} ${marks[own.mark]}`, news, about)
  }

  #lines(body: Body, open = false): string {
    return linesOf(body, user => this.#rooms.known(user)?.username, open)
  }

  /** @param origin what stands before it: that it was forwarded, or what it answers */
  #theirs(by: string, body: Body, open = false, origin = ''): string {
    return `${style.bold(style.cyan(by))}: ${origin}${this.#lines(body, open)}`
  }

  /** Shows what the last message hides, of those that hide something still. */
  #reveal(): void {
    const seq = this.#last(
      ({ content }, at) => content !== undefined && !this.#revealed.has(at) && hasSpoiler(content.value.body),
    )
    const { posted, content } = this.#state.messages.get(seq ?? 0) ?? {}
    if (seq === undefined || content === undefined) return this.#note('nothing is hidden')
    this.#revealed.add(seq)
    const { body } = content.value
    const by = this.#rooms.nameOf(posted?.by ?? '')
    const own = this.#own.get(posted?.clientId ?? '')
    const text = own === undefined ? this.#theirs(by, body, true) : `${style.bold('me')}: ${this.#lines(body, true)}`
    const line = own?.line ?? this.#others.get(seq)
    line?.set(text, `* ${by}: ${this.#lines(body, true)}`)
  }

  #pinned({ event, target }: EntryOf<'message.pinned' | 'message.unpinned'>, by: string): void {
    this.#note(`${by} ${event === 'message.pinned' ? 'pinned' : 'unpinned'} ${this.#quoted(target)}`)
  }

  #quoted(target: number): string {
    const content = this.#state.messages.get(target)?.content
    return content === undefined ? 'a message' : `“${isolated(previewOf(content.value.body))}”`
  }

  #polled({ event, target, counts, voters }: EntryOf<'poll.voted' | 'poll.counted' | 'poll.closed'>): void {
    const content = this.#state.messages.get(target)?.content
    const poll = content === undefined ? undefined : bodyAs('poll', content.value.body)
    if (poll === undefined) return
    const totals = poll.options.map((option, nth) => `${nth + 1}. ${option}: ${counts[nth] ?? 0}`).join(', ')
    const end = event === 'poll.closed' ? '; it is closed' : ''
    this.#note(harmless(`“${poll.question}” ${totals} (${voters} voted${end})`))
  }

  #showOwn(clientId: string, own: Omit<OwnMessage, 'line' | 'clientId'>): void {
    const { body, mark } = own
    this.#own.set(clientId, {
      ...own,
      clientId,
      line: this.#screen.write(`${style.bold('me')}: ${this.#lines(body)} ${marks[mark]}`, {
        event: 'own',
        conversation: own.room,
        clientId,
        text: textOf(body),
        state: mark,
      }),
    })
  }

  #mark(own: OwnMessage, mark: OwnMessage['mark'], error?: string): void {
    if (own.mark === mark) return
    own.mark = mark
    const text = this.#lines(own.body, own.seq !== undefined && this.#revealed.has(own.seq))
    const shown = mark === 'read' ? style.green(marks.read) : marks[mark]
    const why = error === undefined ? '' : ` (${error})`
    const about = { event: 'state', conversation: own.room, clientId: own.clientId, seq: own.seq, state: mark, error }
    own.line.set(
      `${style.bold('me')}: ${text} ${shown}${why}`,
      `${marks[mark].split(' ')[0]} ${mark}: ${text}${why}`,
      about,
    )
  }

  /** After a receipt, or after the receipts were read again: how far each of ours has come. It only gets further. */
  #refreshMarks(): void {
    const order = Object.keys(marks)
    for (const own of this.#own.values()) {
      const room = this.#rooms.get(own.room)
      if (room === undefined || own.seq === undefined) continue
      const progress = this.#rooms.progress(room, own.seq)
      if (order.indexOf(progress) > order.indexOf(own.mark)) this.#mark(own, progress)
    }
  }

  #note(text: string, about?: About): void {
    this.#screen.write(style.dim(`* ${text}`), about)
  }

  #status(): void {
    const { state } = this.#client
    const typists = [...this.#typists].map(user => this.#rooms.nameOf(user))
    const parts = [
      state.name === 'live' ? `${style.green('●')} ${this.#me.username}` : '○ reconnecting…',
      this.#open === undefined ? 'nothing open' : `${this.#dot(this.#open)}${harmless(this.#open.name)}`,
      ...(typists.length > 0 ? [`${typists.join(', ')} typing…`] : []),
    ]
    this.#screen.status(parts.join('  │  '), '> ')
  }

  #dot(room: Room): string {
    const [person] = room.others
    return room.kind === 'direct' && person !== undefined ? `${this.#dotOf(person.id)} ` : ''
  }

  #dotOf(user: string): string {
    return this.#client.presence().get(user) === true ? style.green('●') : '○'
  }

  // ---- what happens -------------------------------------------------------------------------------------------------

  #listen(): void {
    const client = this.#client
    client.on('state', ({ name }) => {
      if (name === 'live') this.#connected()
      else if (name === 'waiting' && this.#wasLive) {
        this.#wasLive = false
        this.#note('reconnecting… what you write is kept and sent later')
      }
      this.#status()
    })
    client.on('entry', entry => this.#heard(entry))
    client.on('cleared', ({ conversation }) => {
      const room = this.#open
      if (conversation === room?.id) this.#then(() => this.#enter(room))
    })
    client.on('reaction', event => {
      if (event.conversation === this.#open?.id) this.#state = foldReaction(this.#state, event)
    })
    client.on('conversationRequest', change => {
      if (change.event === 'conversation.requested') this.#then(() => this.#asked(change.request))
    })
    client.on('joinRequest', change => {
      if (change.event === 'join.requested' && change.request.user.id !== this.#me.id)
        this.#note(
          `${change.request.user.username} asks to join ${harmless(change.request.name)}: /admit or /turn-away`,
        )
      else if (change.event === 'join.answered' && change.user === this.#me.id)
        this.#note(`the group: ${change.answer}`)
    })
    client.on('settings', ({ conversation, settings }) => {
      const room = this.#rooms.get(conversation)
      if (room !== undefined) room.settings = settings
    })
    client.on('sendState', send => this.#sendChanged(send))
    client.on('receipt', receipt => {
      this.#rooms.heard(receipt)
      this.#refreshMarks()
    })
    client.on('typing', ({ conversation, user, typing }) => {
      if (conversation !== this.#open?.id) return
      if (typing && this.#screen.plain) this.#note(`${this.#rooms.nameOf(user)} is typing…`)
      if (typing) this.#typists.add(user)
      else this.#typists.delete(user)
      this.#status()
    })
    client.on('presence', ({ user, online }) => {
      // That somebody is not here is news only of those who were.
      const known = this.#online.delete(user)
      if (online) this.#online.add(user)
      if (online || known)
        this.#note(`${online ? '●' : '○'} ${this.#rooms.nameOf(user)} is ${online ? 'online' : 'offline'}`)
      this.#status()
    })
    client.on('resync', ({ conversation }) => {
      const room = this.#open
      if (conversation === room?.id) this.#then(() => this.#enter(room))
    })
    client.on('left', ({ conversation }) => {
      const room = this.#rooms.get(conversation)
      this.#rooms.forget(conversation)
      if (room !== undefined) this.#note(`you are no longer in ${harmless(room.name)}`)
      if (this.#open?.id === conversation) this.#open = undefined
      this.#status()
    })
    client.on('stopped', ({ reason }) => this.#ended(reason))
  }

  #connected(): void {
    this.#wasLive = true
    this.#note('connected')
    this.#connectedOnce.resolve()
    // Receipts are not part of the log: those that were missed are read.
    this.#then(async () => {
      if (this.#open !== undefined) await this.#rooms.read(this.#open.id)
      this.#refreshMarks()
    })
  }

  /** The first view: the list, or the conversation with this person. */
  async #begin(): Promise<void> {
    await this.#rooms.readAll()
    if (this.#person === undefined) {
      await this.#listRequests()
      return this.#list()
    }
    try {
      await this.#enter(await this.#rooms.withPerson(this.#person))
    } catch (thrown) {
      if (!(thrown instanceof FlotillaError) || thrown.code !== 'user_unknown') throw thrown
      this.#note(`waiting for ${this.#person}, who has never been here`)
    }
  }

  #heard(entry: Entry): void {
    this.#then(async () => {
      const known = this.#rooms.get(entry.conversation)
      const concernsPeople = changesPeople(entry) && entry.at >= this.#since
      if (known === undefined || concernsPeople) await this.#rooms.read(entry.conversation)
      const room = this.#rooms.get(entry.conversation)
      if (room === undefined) return
      if (this.#open === undefined && room.kind === 'direct' && room.name === this.#person) return this.#enter(room)
      if (room.id === this.#open?.id) return this.#show(entry)
      if (entry.by === this.#me.id || entry.at < this.#since) return
      if (entry.event === 'message.new') {
        const { told, mention } = announces(room, entry.body, this.#me)
        room.unread += 1
        if (mention) room.mentions += 1
        if (!told) return
        const place = room.kind === 'group' ? ` in ${harmless(room.name)}` : ''
        const by = this.#rooms.nameOf(entry.by)
        this.#note(`${by}${place}: ${isolated(previewOf(entry.body))}`, messageOf(entry, by))
      } else if (known === undefined) this.#note(`new: ${harmless(room.name)}, by ${this.#rooms.nameOf(entry.by)}`)
    })
  }

  #sendChanged({ op, clientId, state }: Send): void {
    const undone = {
      'message.edit': 'edited',
      'message.delete': 'deleted',
      'message.forward': 'forwarded',
      'message.pin': 'pinned',
      'message.unpin': 'unpinned',
      'message.react': 'reacted',
      'poll.vote': 'voted',
      'poll.close': 'closed',
    }
    if (op !== 'message.send' && state.name === 'failed') return this.#note(`not ${undone[op]} (${state.error.code})`)
    const own = this.#own.get(clientId)
    if (own === undefined) return
    if (state.name === 'failed') return this.#mark(own, 'failed', state.error.code)
    if (state.name !== 'sent') return
    own.seq = state.seq
    if (own.mark === 'sending') this.#mark(own, 'sent')
    this.#refreshMarks()
  }

  #ended(reason: string): void {
    this.#note(`signed out: ${reason}`)
    this.#quit()
  }

  #then(work: () => Promise<void> | void): void {
    this.#work = this.#work.then(work).catch((thrown: unknown) => {
      const error = thrown instanceof FlotillaError ? `${thrown.message} (${thrown.code})` : String(thrown)
      this.#note(error)
    })
  }
}

/** Whether it changes who is in the conversation, or what it is called and allows. */
const changesPeople = ({ event }: Entry) =>
  /^(member|conversation)\./.test(event) && event !== 'conversation.timer_changed'
