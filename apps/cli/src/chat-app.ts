/**
 * The terminal client's behaviour: what a typed line does, and what is shown of what happens. It stands on the doors of
 * the SDK alone, as any application would.
 */
import { emptyConversation, type Entry, type EntryOf, fold, quoteOf, textOf } from '@flotilla/protocol'
import { type Client, type ConversationRequest, FlotillaError, type Message, type Send, type User } from '@flotilla/sdk'
import { actOf, groupHelp, inWords } from './chat-groups.ts'
import { nameOfRequest, type Room, Rooms } from './chat-rooms.ts'
import { type About, harmless, type Line, type Screen, style } from './chat-screen.ts'
import { announces, bodyOf, settingsCommand, settingsHelp } from './chat-settings.ts'

const finishMsMax = 5_000

/** One of our own messages on the screen, and how far it has come. */
interface OwnMessage {
  readonly line: Line
  readonly clientId: string
  text: string
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
  '/with <name>              talk to one person',
  '/group <name> <people…>   start a group',
  '/open <number>            open a conversation of the list',
  '/list                     conversations, requests and people',
  '/accept <name>            what somebody asks you into',
  '/decline <name>           the same, without you',
  '/edit <text>              put this in the place of what you said last',
  '/reply <text>             answer what was said last',
  '/forward <name>           pass what was said last on to a person',
  '/delete                   delete what you said last, for everybody',
  '/pin                      pin the last message, or take its pin away: /unpin',
  ...groupHelp,
  ...settingsHelp,
  '/leave                    leave the group that is open',
  '/quit                     the end',
  'Anything else is sent.',
]

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
  readonly #lines = new Map<number, Line>()
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
    this.#then(() => (text.startsWith('/') ? this.#command(text) : this.#send(text)))
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
    if (command === '/join' && first !== undefined) return this.#join(first)
    const act = actOf(command)
    if (act !== undefined && this.#open !== undefined) {
      const said = await act(this.#client, this.#open.id, first === undefined ? [] : [first, ...rest])
      return said === undefined ? undefined : this.#note(said)
    }
    const settings = this.#open === undefined ? undefined : settingsCommand(command!, first, this.#open)
    if (settings !== undefined && this.#open !== undefined) return this.#changeSettings(this.#open, settings)
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

  #edit(conversation: string, text: string): void {
    const target = this.#lastSaid(by => by === this.#me.id)
    if (target === undefined) return this.#note('there is nothing of yours to edit')
    this.#client.edit({ conversation, target, body: { text } })
  }

  #reply(conversation: string, text: string): void {
    const replyTo = this.#lastSaid(by => by !== this.#me.id)
    if (replyTo === undefined) return this.#note('there is nothing to answer')
    this.#say({ conversation, replyTo, body: { text } })
  }

  async #forward(conversation: string, name: string): Promise<void> {
    const seq = this.#lastSaid(() => true)
    if (seq === undefined) return this.#note('there is nothing to forward')
    const room = await this.#rooms.withPerson(name)
    this.#client.forward({ conversation: room.id, source: { conversation, seq } })
    this.#note(`forwarded to ${harmless(room.name)}`)
  }

  #delete(conversation: string): void {
    const target = this.#lastSaid(by => by === this.#me.id)
    if (target === undefined) return this.#note('there is nothing of yours to delete')
    this.#client.delete(conversation, target)
  }

  /** The seq of the last message in the open room that stands. */
  #lastSaid(isMeant: (by: string) => boolean): number | undefined {
    const standing = [...this.#state.messages].filter(
      ([, { posted, content }]) => posted !== undefined && content?.value.removed === undefined && isMeant(posted.by),
    )
    return standing.length === 0 ? undefined : Math.max(...standing.map(([seq]) => seq))
  }

  #pin(command: '/pin' | '/unpin', conversation: string): void {
    const messages = [...this.#state.messages].filter(([, one]) => one.content?.value.removed === undefined)
    const [target] = messages.findLast(([, one]) => command === '/pin' || one.pin?.value === true) ?? []
    if (target === undefined) return this.#note(command === '/pin' ? 'there is nothing to pin' : 'nothing is pinned')
    if (command === '/pin') this.#client.pin(conversation, target)
    else this.#client.unpin(conversation, target)
  }

  async #changeSettings(room: Room, { change, note, closes }: NonNullable<ReturnType<typeof settingsCommand>>) {
    room.settings = await this.#client.rest.changeSettings(room.id, change)
    this.#note(`${harmless(room.name)}: ${note}`)
    if (closes === true) this.#open = undefined
    this.#status()
  }

  async #send(text: string): Promise<void> {
    if (this.#open === undefined) return this.#note('open a conversation first: /with <name>')
    this.#say({ conversation: this.#open.id, body: bodyOf(text, this.#open) })
  }

  #say(message: Message): void {
    const { conversation: room, body } = message
    this.#showOwn(this.#client.send(message).clientId, { room, text: body.text, seq: undefined, mark: 'sending' })
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
    this.#lines.clear()
    this.#state = emptyConversation
    this.#note(`— ${harmless(room.name)} —`)
    const fresh = await this.#rooms.read(room.id)
    if (fresh.pending) this.#note(`${harmless(room.name)} is asked first: until they accept, few messages can be sent`)
    for (const entry of await this.#rooms.latest(fresh)) this.#show(entry)
    for (const send of this.#client.pending())
      if (send.op === 'message.send' && send.conversation === room.id)
        this.#showOwn(send.clientId, { room: room.id, text: send.body.text, seq: undefined, mark: 'sending' })
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
        `${style.bold(style.cyan(by))}: ${this.#originOf(entry)}${harmless(textOf(entry.body))}`,
        messageOf(entry, by),
      )
      this.#lines.set(entry.seq, line)
      return
    }
    const own = this.#own.get(entry.clientId)
    const before = { room: entry.conversation, text: textOf(entry.body), seq: entry.seq, mark: 'sent' as const }
    if (own === undefined) this.#showOwn(entry.clientId, before)
    else own.seq = entry.seq
    this.#refreshMarks()
  }

  /** What a message answers stands above it. */
  #quote(entry: EntryOf<'message.new'>): void {
    const quote = quoteOf(this.#state, entry)
    if (quote === undefined) return
    const { state, by, body } = quote
    const said = state === 'shown' && body !== undefined ? harmless(textOf(body)) : `(${state})`
    this.#note(`answers ${by === undefined ? '' : `${this.#rooms.nameOf(by)}: `}${said}`)
  }

  #originOf({ forwarded }: EntryOf<'message.new'>): string {
    if (forwarded === undefined) return ''
    return style.dim(`(forwarded${forwarded.by === undefined ? '' : ` from ${this.#rooms.nameOf(forwarded.by)}`}) `)
  }

  /** A message that is on the screen says something else now. */
  #changed(entry: EntryOf<'message.edited' | 'message.removed' | 'message.deleted'>): void {
    const { conversation, seq, target, event } = entry
    const { posted, content } = this.#state.messages.get(target) ?? {}
    // Of an older message, or one that has been changed once more, there is nothing to show.
    if (posted === undefined || content?.seq !== seq) return
    const own = this.#own.get(posted.clientId)
    const by = this.#rooms.nameOf(posted.by)
    const text = textOf(content.value.body)
    const what = event.slice('message.'.length)
    const news = `* ${by} ${what}: ${harmless(text)}`
    const about = { event: what, conversation, seq: target, by, text }
    if (own === undefined)
      return this.#lines.get(target)?.set(`${style.bold(style.cyan(by))}: ${harmless(text)}`, news, about)
    own.text = text
    own.line.set(`${style.bold('me')}: ${harmless(text)} ${marks[own.mark]}`, news, about)
  }

  #pinned({ event, target }: EntryOf<'message.pinned' | 'message.unpinned'>, by: string): void {
    const content = this.#state.messages.get(target)?.content
    const what = content === undefined ? 'a message' : `“${harmless(textOf(content.value.body))}”`
    this.#note(`${by} ${event === 'message.pinned' ? 'pinned' : 'unpinned'} ${what}`)
  }

  #showOwn(clientId: string, own: Omit<OwnMessage, 'line' | 'clientId'>): void {
    const { text, mark } = own
    this.#own.set(clientId, {
      ...own,
      clientId,
      line: this.#screen.write(`${style.bold('me')}: ${harmless(text)} ${marks[mark]}`, {
        event: 'own',
        conversation: own.room,
        clientId,
        text,
        state: mark,
      }),
    })
  }

  #mark(own: OwnMessage, mark: OwnMessage['mark'], error?: string): void {
    if (own.mark === mark) return
    own.mark = mark
    const text = harmless(own.text)
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
      const concernsPeople = !entry.event.startsWith('message.') && entry.at >= this.#since
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
        this.#note(`${by}${place}: ${harmless(textOf(entry.body))}`, messageOf(entry, by))
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
