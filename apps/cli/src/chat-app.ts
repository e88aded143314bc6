/**
 * The terminal client's behaviour: one thing after the other, of what is typed and of what happens; the list and the
 * status line. It stands on the doors of the SDK alone, as any application would.
 */
import { type Entry, isolated } from '@flotilla/protocol'
import { type Client, type ConversationRequest, FlotillaError, type User } from '@flotilla/sdk'
import { nothingOpen, runCommand } from './chat-commands.ts'
import { messageOf, previewOf } from './chat-message.ts'
import { nameOfRequest, type Room, Rooms } from './chat-rooms.ts'
import { harmless, type Screen, style } from './chat-screen.ts'
import { announces, bodyOf } from './chat-settings.ts'
import { View } from './chat-view.ts'

const finishMsMax = 5_000

/** What the list says of a conversation in which something waits. */
function waiting({ unread, mentions, replies, settings }: Room): string {
  const said = [
    ...(unread > 0 ? [`${unread} new`] : []),
    ...(mentions > 0 ? [`${mentions} for you`] : []),
    ...(replies > 0 ? [`${replies} in threads`] : []),
    ...(unread === 0 && settings.unreadFrom !== null ? ['unread'] : []),
  ]
  return said.length === 0 ? '' : style.bold(` (${said.join(', ')})`)
}

export class ChatApp {
  readonly #client: Client
  readonly #screen: Screen
  readonly #me: User
  readonly #rooms: Rooms
  readonly #view: View
  readonly #typists = new Set<string>()
  readonly #quit: () => void
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
    this.#view = new View({ ...parts, rooms: this.#rooms })
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
    // At once, whatever else is under way.
    if (text === '/quit') return this.#quit()
    this.#then(() => (text.startsWith('/') ? this.#command(text) : this.#say(text)))
  }

  /** A keystroke: what stands in the input line. */
  key(text: string): void {
    if (this.#open === undefined) return
    if (text === '' || text.startsWith('/')) this.#client.stopTyping(this.#open.id)
    else this.#client.typing(this.#open.id)
  }

  #command(line: string): Promise<void> {
    const chat = {
      client: this.#client,
      me: this.#me,
      rooms: this.#rooms,
      screen: this.#screen,
      view: this.#view,
      room: this.#open,
      enter: (room: Room) => this.#enter(room),
      list: () => this.#list(),
      close: () => this.#close(),
      quit: this.#quit,
    }
    return runCommand(chat, line)
  }

  #say(text: string): void {
    const room = this.#open
    if (room === undefined) return this.#screen.note(nothingOpen)
    this.#view.showOwn(this.#client.send({ conversation: room.id, body: bodyOf(text, room) }))
  }

  // ---- what is shown ------------------------------------------------------------------------------------------------

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
    this.#screen.note(`${what}: /accept ${name} or /decline ${name}`, {
      event: 'request',
      conversation: request.conversation,
      by: request.from.username,
    })
  }

  async #list(): Promise<void> {
    for (const request of await this.#rooms.requests()) this.#showRequest(request)
    const rooms = this.#rooms.all()
    this.#screen.note(rooms.length === 0 ? 'no conversations yet: /with <name>, or /help' : 'conversations:')
    for (const [at, room] of rooms.entries()) {
      const top = room.settings.pinned === null ? '' : '^ '
      this.#screen.write(`  ${at + 1}. ${top}${this.#dot(room)}${harmless(room.name)}${waiting(room)}`)
    }
    const people = this.#rooms.people()
    if (people.length > 0)
      this.#screen.note(`people: ${people.map(user => `${this.#dotOf(user.id)} ${user.username}`).join('  ')}`)
    this.#status()
  }

  async #enter(room: Room): Promise<void> {
    this.#open = room
    await this.#view.begin(room)
    this.#status()
  }

  #close(): void {
    this.#open = undefined
    this.#status()
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
        this.#screen.note('reconnecting… what you write is kept and sent later')
      }
      this.#status()
    })
    client.on('entry', entry => this.#heard(entry))
    client.on('cleared', ({ conversation }) => {
      const room = this.#open
      if (conversation === room?.id) this.#then(() => this.#enter(room))
    })
    client.on('reaction', event => {
      if (event.conversation === this.#open?.id) this.#view.react(event)
    })
    client.on('conversationRequest', change => {
      if (change.event === 'conversation.requested') this.#then(() => this.#asked(change.request))
    })
    client.on('joinRequest', change => {
      if (change.event === 'join.requested' && change.request.user.id !== this.#me.id)
        this.#screen.note(
          `${change.request.user.username} asks to join ${harmless(change.request.name)}: /admit or /turn-away`,
        )
      else if (change.event === 'join.answered' && change.user === this.#me.id)
        this.#screen.note(`the group: ${change.answer}`)
    })
    client.on('settings', ({ conversation, settings }) => {
      const room = this.#rooms.get(conversation)
      if (room !== undefined) room.settings = settings
    })
    client.on('sendState', send => this.#view.sendChanged(send))
    client.on('receipt', receipt => {
      this.#rooms.heard(receipt)
      this.#view.refreshMarks()
    })
    client.on('typing', ({ conversation, user, typing }) => {
      if (conversation !== this.#open?.id) return
      if (typing && this.#screen.plain) this.#screen.note(`${this.#rooms.nameOf(user)} is typing…`)
      if (typing) this.#typists.add(user)
      else this.#typists.delete(user)
      this.#status()
    })
    client.on('presence', ({ user, online }) => {
      // That somebody is not here is news only of those who were.
      const known = this.#online.delete(user)
      if (online) this.#online.add(user)
      if (online || known)
        this.#screen.note(`${online ? '●' : '○'} ${this.#rooms.nameOf(user)} is ${online ? 'online' : 'offline'}`)
      this.#status()
    })
    client.on('resync', ({ conversation }) => {
      const room = this.#open
      if (conversation === room?.id) this.#then(() => this.#enter(room))
    })
    client.on('left', ({ conversation }) => {
      const room = this.#rooms.get(conversation)
      this.#rooms.forget(conversation)
      if (room !== undefined) this.#screen.note(`you are no longer in ${harmless(room.name)}`)
      if (this.#open?.id === conversation) this.#close()
    })
    client.on('stopped', ({ reason }) => this.#ended(reason))
  }

  #connected(): void {
    this.#wasLive = true
    this.#screen.note('connected')
    this.#connectedOnce.resolve()
    // Receipts are not part of the log: those that were missed are read.
    this.#then(async () => {
      if (this.#open !== undefined) await this.#rooms.read(this.#open.id)
      this.#view.refreshMarks()
    })
  }

  /** The first view: the list, or the conversation with this person. */
  async #begin(): Promise<void> {
    await this.#rooms.readAll()
    if (this.#person === undefined) return this.#list()
    try {
      await this.#enter(await this.#rooms.withPerson(this.#person))
    } catch (thrown) {
      if (!(thrown instanceof FlotillaError) || thrown.code !== 'user_unknown') throw thrown
      this.#screen.note(`waiting for ${this.#person}, who has never been here`)
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
      if (room.id === this.#open?.id) return this.#view.show(entry)
      if (entry.by === this.#me.id || entry.at < this.#since) return
      if (entry.event === 'message.new') {
        const { told, mention } = announces(room, entry.body, this.#me)
        // What is said in a thread alone waits there, for those who follow it.
        if (entry.thread === undefined || entry.alsoInConversation === true) room.unread += 1
        if (mention) room.mentions += 1
        if (!told) return
        const place = room.kind === 'group' ? ` in ${harmless(room.name)}` : ''
        const by = this.#rooms.nameOf(entry.by)
        this.#screen.note(`${by}${place}: ${isolated(previewOf(entry.body))}`, messageOf(entry, by))
      } else if (known === undefined)
        this.#screen.note(`new: ${harmless(room.name)}, by ${this.#rooms.nameOf(entry.by)}`)
    })
  }

  #ended(reason: string): void {
    this.#screen.note(`signed out: ${reason}`)
    this.#quit()
  }

  #then(work: () => Promise<void> | void): void {
    this.#work = this.#work.then(work).catch((thrown: unknown) => {
      const error = thrown instanceof FlotillaError ? `${thrown.message} (${thrown.code})` : String(thrown)
      this.#screen.note(error)
    })
  }
}

/** Whether it changes who is in the conversation, or what it is called and allows. */
const changesPeople = ({ event }: Entry) =>
  /^(member|conversation)\./.test(event) && event !== 'conversation.timer_changed'
