/** The open conversation as it is shown: its messages with their quotes, pins, polls and reactions, and the marks of our own. */
import {
  type Body,
  bodyAs,
  conversationOf,
  emptyConversation,
  type Entry,
  type EntryOf,
  type EventOf,
  fold,
  foldReaction,
  isolated,
  type MessageState,
  quoteOf,
  type ReactionCounts,
  textOf,
} from '@flotilla/protocol'
import type { Client, Send, User } from '@flotilla/sdk'
import { hasSpoiler, linesOf, messageOf, previewOf } from './chat-message.ts'
import type { Room, Rooms } from './chat-rooms.ts'
import { harmless, type Line, type Screen, style } from './chat-screen.ts'
import { durationOf } from './chat-times.ts'
import { inWords } from './chat-words.ts'

/** One of our own messages on the screen, and how far it has come. */
interface OwnMessage {
  readonly line: Line
  readonly clientId: string
  body: Body
  readonly room: string
  seq: number | undefined
  mark: keyof typeof marks
}

/** An entry that makes a message say something else. */
type Changing = Pick<Entry, 'conversation' | 'seq'> & {
  readonly target: number
  readonly event: 'message.edited' | 'message.removed' | 'message.deleted' | 'messages.expired'
}

/** The number by which a thread is read and answered, before what is said there. */
const threadOf = ({ thread }: { readonly thread?: number | undefined }): string =>
  thread === undefined ? '' : `↳ ${thread} `

const marks = { sending: '…', sent: '✓', delivered: '✓✓', read: '✓✓ read', failed: '✗' }

/** How many have reacted with what, behind what else is said. */
const tally = (counts: ReactionCounts) =>
  counts.length === 0 ? '' : ` (${counts.map(({ emoji, count }) => `${emoji} ${count}`).join(', ')})`

export class View {
  readonly #client: Client
  readonly #screen: Screen
  readonly #me: User
  readonly #rooms: Rooms
  /** Our messages, by clientId. */
  readonly #own = new Map<string, OwnMessage>()
  /** The seqs on the screen, so that a page of history and live entries do not show one twice. */
  readonly #shown = new Set<number>()
  /** Of the messages on the screen that others wrote, the lines. */
  readonly #others = new Map<number, Line>()
  /** Messages whose spoilers were asked for, by seq. */
  readonly #revealed = new Set<number>()
  /** What is known of the conversation. */
  #state = emptyConversation

  constructor(parts: { client: Client; screen: Screen; me: User; rooms: Rooms }) {
    this.#client = parts.client
    this.#screen = parts.screen
    this.#me = parts.me
    this.#rooms = parts.rooms
  }

  /** Shows this conversation from now on: the latest of it, and what of ours is not sent yet. */
  async begin(room: Room): Promise<void> {
    this.#screen.clear()
    this.#shown.clear()
    this.#own.clear()
    this.#others.clear()
    this.#revealed.clear()
    this.#state = conversationOf(this.#me.id)
    this.#screen.note(`— ${harmless(room.name)} —`)
    const fresh = await this.#rooms.read(room.id)
    if (fresh.pending)
      this.#screen.note(`${harmless(room.name)} is asked first: until they accept, few messages can be sent`)
    for (const entry of await this.#rooms.latest(fresh)) this.show(entry)
    for (const send of this.#client.pending()) if (send.conversation === room.id) this.showOwn(send)
  }

  /** An entry of this conversation. */
  show(entry: Entry): void {
    this.#client.markRead(entry.conversation, entry.seq)
    if (this.#shown.has(entry.seq)) return
    this.#shown.add(entry.seq)
    this.#state = fold(this.#state, entry)
    const by = this.#rooms.nameOf(entry.by)
    switch (entry.event) {
      case 'message.new':
        return this.#posted(entry, by)
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
        return this.#screen.note(
          entry.timerMs === null
            ? `${by} lets messages stay`
            : `${by} lets messages disappear after ${durationOf(entry.timerMs)}`,
        )
      case 'message.reacted':
        return this.#screen.note(
          `${by} ${entry.on ? 'reacted' : 'took back'} ${entry.emoji} to ${this.quoted(entry.target)}${tally(entry.counts)}`,
        )
      case 'reaction.counted':
        for (const { target, counts } of entry.messages) this.#screen.note(`${this.quoted(target)}${tally(counts)}`)
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
        return this.#screen.note(inWords(entry, user => this.#rooms.nameOf(user)))
    }
  }

  react(event: EventOf<'reaction.stored'>): void {
    this.#state = foldReaction(this.#state, event)
  }

  /** A message of ours that was taken; other sends are seen by what comes of them. */
  showOwn(send: Send): void {
    if (send.op === 'message.send') this.#addOwn(send, undefined)
  }

  sendChanged({ op, clientId, state }: Send): void {
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
    if (op !== 'message.send' && state.name === 'failed')
      return this.#screen.note(`not ${undone[op]} (${state.error.code})`)
    const own = this.#own.get(clientId)
    if (own === undefined) return
    if (state.name === 'failed') return this.#mark(own, 'failed', state.error.code)
    if (state.name !== 'sent') return
    own.seq = state.seq
    if (own.mark === 'sending') this.#mark(own, 'sent')
    this.refreshMarks()
  }

  /** After a receipt, or after the receipts were read again: how far each of ours has come. It only gets further. */
  refreshMarks(): void {
    const order = Object.keys(marks)
    for (const own of this.#own.values()) {
      const room = this.#rooms.get(own.room)
      if (room === undefined || own.seq === undefined) continue
      const progress = this.#rooms.progress(room, own.seq)
      if (order.indexOf(progress) > order.indexOf(own.mark)) this.#mark(own, progress)
    }
  }

  /** Shows what the last message hides, of those that hide something still. */
  reveal(): void {
    const seq = this.last(
      ({ content }, at) => content !== undefined && !this.#revealed.has(at) && hasSpoiler(content.value.body),
    )
    const { posted, content } = this.message(seq ?? 0) ?? {}
    if (seq === undefined || content === undefined) return this.#screen.note('nothing is hidden')
    this.#revealed.add(seq)
    const { body } = content.value
    const by = this.#rooms.nameOf(posted?.by ?? '')
    const own = this.#own.get(posted?.clientId ?? '')
    const text = own === undefined ? this.#theirs(by, body, true) : `${style.bold('me')}: ${this.#lines(body, true)}`
    const line = own?.line ?? this.#others.get(seq)
    line?.set(text, `* ${by}: ${this.#lines(body, true)}`)
  }

  /** The seq of the last message that is there, of those of which this holds. */
  last(holds: (message: MessageState, seq: number) => boolean = () => true): number | undefined {
    const messages = [...this.#state.messages].sort(([one], [other]) => one - other)
    const isMeant = (one: MessageState, seq: number) =>
      one.posted !== undefined && one.content?.value.removed === undefined && holds(one, seq)
    return messages.findLast(([seq, one]) => isMeant(one, seq))?.[0]
  }

  message(seq: number): MessageState | undefined {
    return this.#state.messages.get(seq)
  }

  /** The beginning of a message, to name it by. */
  quoted(target: number): string {
    const content = this.message(target)?.content
    return content === undefined ? 'a message' : `“${isolated(previewOf(content.value.body))}”`
  }

  #posted(entry: EntryOf<'message.new'>, by: string): void {
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
    if (own === undefined) this.#addOwn(entry, entry.seq)
    else own.seq = entry.seq
    this.refreshMarks()
  }

  /** What a message answers stands above it. */
  #quote(entry: EntryOf<'message.new'>): void {
    const quote = quoteOf(this.#state, entry)
    if (quote === undefined) return
    const { state, by, body } = quote
    const said = state === 'shown' && body !== undefined ? isolated(previewOf(body)) : `(${state})`
    this.#screen.note(`answers ${by === undefined ? '' : `${this.#rooms.nameOf(by)}: `}${said}`)
  }

  #originOf({ forwarded }: EntryOf<'message.new'>): string {
    if (forwarded === undefined) return ''
    return style.dim(`(forwarded${forwarded.by === undefined ? '' : ` from ${this.#rooms.nameOf(forwarded.by)}`}) `)
  }

  /** A message that is on the screen says something else now. */
  #changed({ conversation, seq, target, event }: Changing): void {
    const { posted, content } = this.message(target) ?? {}
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

  #pinned({ event, target }: EntryOf<'message.pinned' | 'message.unpinned'>, by: string): void {
    this.#screen.note(`${by} ${event === 'message.pinned' ? 'pinned' : 'unpinned'} ${this.quoted(target)}`)
  }

  #polled({ event, target, counts, voters }: EntryOf<'poll.voted' | 'poll.counted' | 'poll.closed'>): void {
    const content = this.message(target)?.content
    const poll = content === undefined ? undefined : bodyAs('poll', content.value.body)
    if (poll === undefined) return
    const totals = poll.options.map((option, nth) => `${nth + 1}. ${option}: ${counts[nth] ?? 0}`).join(', ')
    const end = event === 'poll.closed' ? '; it is closed' : ''
    this.#screen.note(harmless(`“${poll.question}” ${totals} (${voters} voted${end})`))
  }

  /** @param seq of a message that is stored already */
  #addOwn(message: Pick<EntryOf<'message.new'>, 'clientId' | 'conversation' | 'body'>, seq: number | undefined): void {
    const { clientId, conversation, body } = message
    const mark = seq === undefined ? 'sending' : 'sent'
    const line = this.#screen.write(`${style.bold('me')}: ${this.#lines(body)} ${marks[mark]}`, {
      event: 'own',
      conversation,
      clientId,
      text: textOf(body),
      state: mark,
    })
    this.#own.set(clientId, { clientId, room: conversation, body, seq, mark, line })
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
}
