/**
 * What is heard and shown of new messages while a page is open: a sound, and a notification of the system, by the person's
 * rules, in one tab alone, and not of what somebody is reading. Reminders are told whatever is being read: that was asked for.
 */
import { type Client, type ClientEvents, mentionsAll, mentionsOf, type User } from '@flotilla/sdk'
import type { ChatState, ConversationView } from '@flotilla/sdk/state'
import { place } from '../app/navigation.tsx'
import { showBadge } from './badge.ts'
import { noticeChoices } from './choices.ts'
import { createDesktop } from './desktop.ts'
import { createFacts, type Facts } from './facts.ts'
import { listenToWorker, renewPush } from './push.ts'
import { isQuiet, notifies, type Told } from './rules.ts'
import { playSound } from './sound.ts'
import { createSeen, isSeenElsewhere, once } from './tabs.ts'

interface Signed {
  readonly client: Client
  readonly state: ChatState
  readonly user: User
}

type NewMessage = ClientEvents['message']

/** A conversation of which only now was heard is read first. */
const viewMs = 5_000

/** @returns what ends it, and takes back what is shown */
export function startAlerts(signed: Signed): () => void {
  const { client, state, user } = signed
  const facts = createFacts(client)
  const seen = createSeen()
  const desktop = createDesktop(signed)
  const look = () => seen.show(isAttentive() ? place.get().params['conversation'] : undefined)

  async function hear(message: NewMessage): Promise<void> {
    const { conversation, seq, by } = message
    const choices = noticeChoices.get()
    const isShown = choices.desktop && isPermitted()
    // What needs no question first.
    if (by === user.id || message.replayed || !(choices.sound || isShown)) return
    const view = await viewOf(state, conversation)
    if (view === undefined || view.muted) return
    const [told, settings] = await Promise.all([toldOf(message, view, facts, user.id), facts.settings()])
    if (!notifies(told, settings, Date.now())) return
    await once(`${conversation}/${seq}`, async () => {
      if (choices.sound) void playSound().catch(() => {})
      if (isShown) await desktop.show(message, view)
    })
  }

  async function hearReminder(change: ClientEvents['notification']): Promise<void> {
    if (change.event !== 'notification.new' || change.notification.kind !== 'reminder') return
    const { notification } = change
    const choices = noticeChoices.get()
    const isShown = choices.desktop && isPermitted()
    if (!(choices.sound || isShown) || isQuiet((await facts.settings()).quietHours, Date.now())) return
    await once(`reminder/${notification.id}`, async () => {
      if (choices.sound) void playSound().catch(() => {})
      if (isShown) await desktop.remind(notification)
    })
  }

  const ends = [
    client.on('notification', change => void hearReminder(change).catch(() => {})),
    // Who cannot be asked, or what cannot be shown here, is told by what waits in the list.
    client.on('message', message => void hear(message).catch(() => {})),
    place.subscribe(look),
    showBadge(state),
    listenToWorker(),
    ...heard(['focus', 'blur'], globalThis, look),
    ...heard(['visibilitychange'], document, look),
    () => facts.end(),
    () => desktop.end(),
    () => seen.show(undefined),
  ]
  look()
  renewPush(client).catch(() => {})
  return () => {
    for (const end of ends) end()
  }
}

async function toldOf(message: NewMessage, view: ConversationView, facts: Facts, self: string): Promise<Told> {
  const { conversation, by, body, thread, alsoInConversation, removed, replayed } = message
  const isAside = thread !== undefined && alsoInConversation !== true
  const [isBlocked, follows, isSeen] = await Promise.all([
    facts.isBlocked(by),
    thread !== undefined && facts.follows(conversation, thread),
    isSeenElsewhere(conversation),
  ])
  return {
    isOwn: by === self,
    isReplayed: replayed,
    isRemoved: removed !== undefined,
    isMention: mentionsAll(body) || mentionsOf(body).includes(self),
    isBlocked,
    thread: follows ? 'followed' : isAside ? 'other' : 'none',
    kind: view.kind,
    isMuted: view.muted,
    rule: view.settings.notify,
    isSeen: isSeen || isSeenHere(conversation),
  }
}

const isAttentive = () => document.visibilityState === 'visible' && document.hasFocus()
const isSeenHere = (conversation: string) => isAttentive() && place.get().params['conversation'] === conversation
const isPermitted = () => typeof Notification !== 'undefined' && Notification.permission === 'granted'

function heard(names: readonly string[], target: EventTarget, listener: () => void): (() => void)[] {
  return names.map(name => {
    target.addEventListener(name, listener)
    return () => target.removeEventListener(name, listener)
  })
}

function viewOf(state: ChatState, conversation: string): Promise<ConversationView | undefined> {
  const readable = state.conversation(conversation)
  return new Promise(resolve => {
    let end = () => {}
    const settle = () => {
      const view = readable.get()
      if (view === undefined) return
      end()
      resolve(view)
    }
    end = readable.subscribe(settle)
    settle()
    setTimeout(() => {
      end()
      resolve(undefined)
    }, viewMs)
  })
}
