/** A hook for each thing that is shown. A component renders when what it shows has changed, and not before. */
import type { ConnectionState, DraftContent, Edit, Me, Message, Question, Send, User } from '@flotilla/sdk'
import type {
  ChatState,
  ConversationList,
  ConversationView,
  Counts,
  Readable,
  ReceiptsOf,
  Timeline,
  TimelineView,
} from '@flotilla/sdk/state'
import { useMemo, useSyncExternalStore } from 'react'
import { type ChatRoot, useFlotilla } from './provider.tsx'

const useReadable = <T>({ get, subscribe }: Readable<T>): T => useSyncExternalStore(subscribe, get, get)

/** Of a readable that is made anew each time, one as long as the key is the same. */
function useKeyed<T>(of: (state: ChatState, key: string) => Readable<T>, key: string): T {
  const { state } = useFlotilla()
  return useReadable(useMemo(() => of(state, key), [of, state, key]))
}

/** Oneself; undefined until that is known. */
export const useMe = (): Me | undefined => useReadable(useFlotilla().state.me)

export const useConnection = (): ConnectionState => useReadable(useFlotilla().state.connection)

export const useConversations = (): ConversationList => useReadable(useFlotilla().state.conversations)

/** What is unread in all conversations. */
export const useUnread = (): Counts => useReadable(useFlotilla().state.unread)

export const useConversation = (id: string): ConversationView | undefined => useKeyed(conversationOf, id)
const conversationOf = (state: ChatState, id: string) => state.conversation(id)

/** Who is typing there, by id. */
export const useTyping = (conversation: string): readonly string[] => useKeyed(typingOf, conversation)
const typingOf = (state: ChatState, id: string) => state.typing(id)

/** Whether somebody is online; undefined where that is not known. */
export const usePresence = (user: string): boolean | undefined => useKeyed(presenceOf, user)
const presenceOf = (state: ChatState, id: string) => state.presence(id)

/** How far the others have got, by id. */
export const useReceipts = (conversation: string): ReadonlyMap<string, ReceiptsOf> => useKeyed(receiptsOf, conversation)
const receiptsOf = (state: ChatState, id: string) => state.receipts(id)

export const useUser = (id: string): User | undefined => useKeyed(userOf, id)
const userOf = (state: ChatState, id: string) => state.user(id)

/** What is begun and not sent. `set` takes each keystroke. */
export function useDraft(conversation: string): DraftActions {
  const { state } = useFlotilla()
  const draft = useMemo(() => state.draft(conversation), [state, conversation])
  const content = useReadable(draft)
  return useMemo(() => ({ content, set: draft.set }), [content, draft])
}

export interface DraftActions {
  readonly content: DraftContent | undefined
  set(content: DraftContent | null): void
}

/** The messages of a conversation, and what one can do with them. The actions are the same as long as the conversation is. */
export function useMessages(conversation: string): TimelineView & { readonly actions: MessageActions } {
  const { state } = useFlotilla()
  return useTimeline(useMemo(() => state.timeline(conversation), [state, conversation]))
}

/** Those of the thread that hangs on a message, the message itself first. */
export function useThread(conversation: string, root: number): TimelineView & { readonly actions: MessageActions } {
  const { state } = useFlotilla()
  return useTimeline(useMemo(() => state.thread(conversation, root), [state, conversation, root]))
}

export interface MessageActions
  extends Pick<Timeline, 'older' | 'newer' | 'jump' | 'latest' | 'send' | 'ask' | 'retry' | 'discard'> {
  edit(seq: number, body: Edit['body']): Send
  /** For everybody. */
  remove(seq: number): Send
  react(seq: number, emoji: string, on?: boolean): Send
  vote(seq: number, options: readonly number[]): Send
  closePoll(seq: number): Send
  pin(seq: number, on?: boolean): Send
  /** The person has read up to there: in a thread, of the thread. */
  markRead(seq: number): void
  /** A keystroke. */
  type(): void
}

function useTimeline(timeline: Timeline): TimelineView & { readonly actions: MessageActions } {
  const root = useFlotilla()
  const get = useMemo(() => () => timeline.get(), [timeline])
  const view = useSyncExternalStore(timeline.subscribe, get, get)
  const actions = useMemo(() => actionsOf(root, timeline), [root, timeline])
  return useMemo(() => ({ ...view, actions }), [view, actions])
}

function actionsOf({ client, state }: ChatRoot, timeline: Timeline): MessageActions {
  const { conversation, root } = timeline
  return {
    older: () => timeline.older(),
    newer: () => timeline.newer(),
    jump: seq => timeline.jump(seq),
    latest: () => timeline.latest(),
    send: (message: Omit<Message, 'conversation' | 'thread'>) => timeline.send(message),
    ask: (question: Omit<Question, 'conversation' | 'thread'>) => timeline.ask(question),
    retry: key => timeline.retry(key),
    discard: key => timeline.discard(key),
    edit: (target, body) => client.edit({ conversation, target, body }),
    remove: seq => client.delete(conversation, seq),
    react: (seq, emoji, on) => client.react(conversation, seq, emoji, on),
    vote: (seq, options) => client.vote(conversation, seq, options),
    closePoll: seq => client.closePoll(conversation, seq),
    pin: (seq, on = true) => (on ? client.pin(conversation, seq) : client.unpin(conversation, seq)),
    markRead: seq => state.markRead(conversation, seq, root),
    type: () => client.typing(conversation),
  }
}
