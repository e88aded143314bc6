/**
 * One conversation as its list shows it: what was read of it, and what entries have said since. What is unread is counted
 * by the rules of the server; `isStale` tells that only the server knows.
 */
import {
  type Conversation,
  type ConversationSettings,
  emptyConversation,
  type Entry,
  type EntryOf,
  foldAll,
  mentionsAll,
  mentionsOf,
} from '@flotilla/protocol'
import { given } from './same.ts'

/** Beyond it nobody counts: the server does not either. */
const countMax = 1_000

interface Heard {
  readonly isMention: boolean
  readonly isUnread: boolean
  readonly expiresAt: number
}

type Message = EntryOf<'message.new'>

export class ConversationRecord {
  /** As it was read, with what entries have changed. Its counts are those at `#countedTo`. */
  conversation: Conversation
  /** The server has to be asked. */
  isStale = false
  #countedTo: number
  /** Too much was missed of it, or the store that it was read from is no more. */
  #isOver = false
  /** Messages of others behind that which are not read. */
  readonly #heard = new Map<number, Heard>()

  constructor(conversation: Conversation) {
    this.conversation = conversation
    this.#countedTo = conversation.head
  }

  /** It begins anew: what is known is shown until it was read, and counts no more. */
  beginAnew(epoch = this.conversation.epoch): void {
    this.#isOver = true
    this.isStale = true
    this.#heard.clear()
    this.#countedTo = 0
    const settings = { ...this.conversation.settings, version: 0 }
    this.#set({ epoch, head: 0, readSeq: 0, settings })
  }

  /** It was read anew. What was heard or done since it was is kept; what another store has said, on neither side. */
  read(now: Conversation): void {
    if (!this.#isOfNow(now.epoch)) {
      this.isStale = true
      return
    }
    const { lastMessage, ...over } = this.conversation
    const isKept = !this.#isOver || (lastMessage?.seq ?? 0) <= over.head
    const before = isKept ? this.conversation : over
    this.#isOver = false
    const readSeq = Math.max(before.readSeq, now.readSeq)
    const settings = before.settings.version > now.settings.version ? before.settings : now.settings
    const last = lastOf(before, now)
    const { lastMessage: _, ...rest } = now
    this.isStale = now.head < before.head || now.readSeq < readSeq
    this.#countedTo = now.head
    for (const seq of this.#heard.keys()) if (seq <= now.head) this.#heard.delete(seq)
    this.conversation = {
      ...rest,
      readSeq,
      settings,
      head: Math.max(before.head, now.head),
      headAt: now.head < before.head ? before.headAt : now.headAt,
      ...given({ lastMessage: last }),
    }
    // The receipt is on its way: what it covers whole needs no answer.
    if (readSeq >= now.head) this.#set({ unread: 0, mentions: 0 })
    if (now.head >= before.head && readSeq >= now.head) this.isStale = false
  }

  entry(entry: Entry, self: string | undefined): void {
    const isOfNow = this.#isOfNow(entry.epoch)
    const { head, headAt } = this.conversation
    if (!isOfNow || entry.seq <= head) return
    // What lies between was not heard: the device began with later ones than the list, or does not know their kind.
    if (entry.seq > head + 1) this.isStale = true
    this.#set({ head: entry.seq, headAt: Math.max(headAt, entry.at) })
    if (entry.event === 'message.new') this.#message(entry, self)
    else if (entry.event === 'messages.expired') this.#change(entry, entry.targets)
    else if (entry.event === 'message.deleted' || entry.event === 'message.removed') this.#change(entry, [entry.target])
    else if (entry.event === 'message.edited') {
      this.#change(entry, [])
      if (entry.body !== undefined && (mentionsAll(entry.body) || mentionsOf(entry.body).length > 0))
        this.isStale = true
    } else if (entry.event === 'conversation.renamed') this.#set({ name: entry.name })
    else if (entry.event === 'conversation.timer_changed') {
      const { timerMs: _, ...rest } = this.conversation
      this.conversation = { ...rest, ...given({ timerMs: entry.timerMs ?? undefined }) }
    } else if (entry.event.startsWith('member.') || entry.event === 'conversation.changed') this.isStale = true
  }

  settings(settings: ConversationSettings): void {
    const before = this.conversation.settings
    if (settings.version < before.version) return
    // From where on it is unread decides what is counted.
    if (settings.unreadFrom !== before.unreadFrom) this.isStale = true
    this.#set({ settings })
  }

  /** The person has read up to there, on whatever device. */
  markRead(seq: number): void {
    const { readSeq, settings, unread, mentions } = this.conversation
    if (settings.unreadFrom !== null) this.#set({ settings: { ...settings, unreadFrom: null } })
    if (seq <= readSeq && settings.unreadFrom === null) return
    this.#set({ readSeq: Math.max(seq, readSeq) })
    for (const heard of this.#heard.keys()) if (heard <= seq) this.#heard.delete(heard)
    if (seq >= this.#countedTo) this.#set({ unread: 0, mentions: 0 })
    else if (unread > 0 || mentions > 0) this.isStale = true
  }

  /** One has hidden messages, or cleared it up to a seq. */
  clear(seqs: readonly number[], upTo = 0): void {
    const { lastMessage, unread } = this.conversation
    const isGone = (seq: number) => seqs.includes(seq) || seq <= upTo
    for (const seq of this.#heard.keys()) if (isGone(seq)) this.#heard.delete(seq)
    if (upTo > 0) this.#set({ clearedSeq: upTo })
    if (unread > 0) this.isStale = true
    if (lastMessage === undefined || !isGone(lastMessage.seq)) return
    const { lastMessage: _, ...rest } = this.conversation
    this.conversation = rest
    this.isStale = true
  }

  counts(now: number): { readonly unread: number; readonly mentions: number } {
    let { unread, mentions } = this.conversation
    for (const { isUnread, isMention, expiresAt } of this.#heard.values()) {
      if (expiresAt <= now) continue
      if (isUnread) unread += 1
      if (isMention) mentions += 1
    }
    return { unread: Math.min(unread, countMax), mentions: Math.min(mentions, countMax) }
  }

  /** Whether it is of the store as it is, as far as is known. */
  #isOfNow(epoch: number): boolean {
    const { epoch: before } = this.conversation
    if (epoch > before) this.beginAnew(epoch)
    return epoch >= before
  }

  #message(message: Message, self: string | undefined): void {
    const { seq, by, body, thread, alsoInConversation, expiresAt, removed } = message
    const { readSeq, settings } = this.conversation
    const isAside = thread !== undefined && alsoInConversation !== true
    if (!isAside) this.#set({ lastMessage: message })
    if (by === self || removed !== undefined) return
    const isMention = mentionsAll(body) || mentionsOf(body).includes(self ?? '')
    if (seq > readSeq && (!isAside || isMention) && this.#heard.size < countMax)
      this.#heard.set(seq, { isMention, isUnread: !isAside, expiresAt: expiresAt ?? Number.POSITIVE_INFINITY })
    // Who is blocked mentions nobody, and some messages bring a conversation back from the archive: the server decides.
    if (isMention || settings.archived) this.isStale = true
  }

  /** What became of messages: those that are gone are not unread any more. */
  #change(entry: Entry, gone: readonly number[]): void {
    const { lastMessage, unread, mentions, readSeq } = this.conversation
    if (lastMessage !== undefined) this.#set({ lastMessage: changedBy(lastMessage, entry) })
    const { unreadFrom } = this.conversation.settings
    const first = Math.min(readSeq + 1, unreadFrom === null || unreadFrom === 0 ? Number.POSITIVE_INFINITY : unreadFrom)
    for (const seq of gone)
      if (!this.#heard.delete(seq) && seq >= first && seq <= this.#countedTo && unread + mentions > 0)
        this.isStale = true
  }

  #set(change: Partial<Conversation>): void {
    this.conversation = { ...this.conversation, ...change }
  }
}

/** The last message: of two the later one, unless it was cleared; one that a page lacks may lie too far back for it. */
function lastOf(before: Conversation, now: Conversation): Message | undefined {
  const [one, other] = [before.lastMessage, now.lastMessage]
  if (other !== undefined && (one === undefined || one.seq <= now.head)) return other
  return one !== undefined && one.seq > (now.clearedSeq ?? 0) ? one : undefined
}

/** A message as it stands after one more entry. */
function changedBy(message: Message, entry: Entry): Message {
  const content = foldAll(emptyConversation, [message, entry]).messages.get(message.seq)?.content
  if (content === undefined || content.seq < entry.seq) return message
  const { editedAt: _edited, removed: _removed, ...rest } = message
  return { ...rest, ...content.value, changedSeq: content.seq }
}
