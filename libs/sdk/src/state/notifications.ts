/** Notifications as they are shown: how many wait, and the latest of them. Read and kept up while somebody looks. */
import type { Notification } from '@flotilla/protocol'
import type { Client } from '../client.ts'
import { type Clock, systemClock } from '../clock.ts'
import { asFlotillaError, FlotillaError } from '../flotilla-error.ts'
import type { NotificationChange } from '../options.ts'
import { Changes } from './changes.ts'
import { given, kept } from './same.ts'
import type { Readable } from './views.ts'

/** Kept up while somebody subscribes. */
export interface Notifications extends Readable<NotificationsView> {
  /** Reads the latest ones, then those before them. Where that fails, the view says so by `error`. */
  more(): Promise<void>
  /** The person has seen one, or all that there are. @throws FlotillaError */
  markRead(notification: string): Promise<void>
  markAllRead(): Promise<void>
}

export interface NotificationsView {
  /** How many wait: 100 means that many or more. */
  readonly unread: number
  /** Newest first, as far as they were read. */
  readonly items: readonly Notification[]
  readonly hasMore: boolean
  readonly loading: boolean
  readonly error?: FlotillaError
}

/** Apart from the state: what shows no notifications loads none of it. */
export function createNotifications(
  client: Client,
  { clock = systemClock }: { readonly clock?: Clock } = {},
): Notifications {
  return new NotificationList(client, clock)
}

const key = 'notifications'
const pageMax = 20
/** After so long, what could not be read is read again. */
const retryMs = 5_000

class NotificationList implements Notifications {
  readonly get: Notifications['get']
  readonly subscribe: Notifications['subscribe']
  readonly #client: Client
  readonly #clock: Clock
  readonly #changes: Changes
  #view: NotificationsView = { unread: 0, items: [], hasMore: true, loading: false }
  #next: string | undefined
  /** The first page was read, and is kept up. */
  #isOpen = false
  /** What was told while something was read: the answer may be older. */
  readonly #heard = new Set<NotificationChange[]>()
  #endings: readonly (() => void)[] = []
  #cancelRetry: (() => void) | undefined

  constructor(client: Client, clock: Clock) {
    this.#client = client
    this.#clock = clock
    this.#changes = new Changes(clock)
    const attendance = { begin: () => this.#begin(), end: () => this.#end() }
    const { get, subscribe } = this.#changes.readable(key, () => this.#view, attendance)
    this.get = get
    this.subscribe = subscribe
  }

  async more(): Promise<void> {
    if (this.#view.loading || !this.#view.hasMore) return
    const { error: _, ...view } = this.#view
    this.#set({ ...view, loading: true })
    try {
      await this.#read(this.#next)
    } catch (thrown) {
      this.#set({ ...this.#view, error: asFlotillaError(thrown, 'internal', 'read notifications') })
    } finally {
      this.#set({ ...this.#view, loading: false })
    }
  }

  async markRead(notification: string): Promise<void> {
    const { unread } = await this.#client.rest.notifications.markRead(notification)
    this.#change({ event: 'notification.read', notification, unread })
  }

  async markAllRead(): Promise<void> {
    const { unread } = await this.#client.rest.notifications.markAllRead()
    this.#change({ event: 'notification.read', unread })
  }

  #begin(): void {
    const client = this.#client
    this.#endings = [
      client.on('notification', change => {
        for (const heard of this.#heard) heard.push(change)
        this.#change(change)
      }),
      client.on('refresh', () => this.#refresh()),
    ]
    if (client.state.name === 'live') this.#refresh()
  }

  #end(): void {
    for (const end of this.#endings) end()
    this.#endings = []
    this.#cancelRetry?.()
    this.#cancelRetry = undefined
  }

  /** A connection begins, signals may have been lost, or what failed may be read now. */
  #refresh(): void {
    Promise.all([this.#count(), this.#isOpen && this.#read(undefined)]).catch((thrown: unknown) => {
      if (!(thrown instanceof FlotillaError) || !thrown.retry || this.#endings.length === 0) return
      this.#cancelRetry ??= this.#clock.after(Math.max(retryMs, thrown.retryMs ?? 0), () => {
        this.#cancelRetry = undefined
        if (this.#client.state.name === 'live') this.#refresh()
      })
    })
  }

  async #count(): Promise<void> {
    const { answer, heard } = await this.#hearing(() => this.#client.rest.notifications.count())
    if (heard.length === 0) this.#set({ ...this.#view, ...answer })
  }

  /** A page, over what is known of it. */
  async #read(after: string | undefined): Promise<void> {
    const { list } = this.#client.rest.notifications
    const page = () => list({ limit: pageMax, ...given({ after }) })
    const { answer, heard } = await this.#hearing(page)
    const { notifications, next } = answer
    const ids = new Set(notifications.map(one => one.id))
    // Of the first page, read anew, what lies behind it stays.
    const last = notifications.at(-1)?.at ?? 0
    const behind = (one: Notification) => after !== undefined || (next !== undefined && one.at <= last)
    const others = this.#view.items.filter(one => !ids.has(one.id) && behind(one))
    if (after !== undefined || others.length === 0) this.#next = next
    this.#isOpen = true
    const items = [...others, ...notifications].sort(newestFirst)
    this.#set({ ...this.#view, items, hasMore: this.#next !== undefined })
    for (const change of heard) this.#change(change)
  }

  /** Asks, and notes what is told meanwhile. */
  async #hearing<T>(
    ask: () => Promise<T>,
  ): Promise<{ readonly answer: T; readonly heard: readonly NotificationChange[] }> {
    const heard: NotificationChange[] = []
    this.#heard.add(heard)
    try {
      return { answer: await ask(), heard }
    } finally {
      this.#heard.delete(heard)
    }
  }

  #change(change: NotificationChange): void {
    const { items } = this.#view
    this.#set({ ...this.#view, unread: change.unread, items: this.#isOpen ? this.#changed(items, change) : items })
  }

  #changed(items: readonly Notification[], change: NotificationChange): readonly Notification[] {
    if (change.event === 'notification.removed')
      return items.filter(({ conversation }) => conversation !== change.conversation)
    if (change.event === 'notification.new') {
      const { notification } = change
      const others = items.filter(({ id }) => id !== notification.id)
      const last = others.at(-1)?.at ?? 0
      // It is on a page that was not read yet.
      if (this.#view.hasMore && notification.at < last) return others
      return [...others, notification].sort(newestFirst)
    }
    return items.map(one => (one.read || !isMeant(one, change) ? one : { ...one, read: true }))
  }

  #set(view: NotificationsView): void {
    const now = kept(this.#view, view)
    if (now === this.#view) return
    this.#view = now
    this.#changes.tell(key)
  }
}

const newestFirst = (one: Notification, other: Notification) => other.at - one.at

function isMeant(one: Notification, change: Extract<NotificationChange, { event: 'notification.read' }>): boolean {
  const { notification, conversation, seq = Number.POSITIVE_INFINITY } = change
  if (notification !== undefined) return one.id === notification
  // What has no seq of its own, as that of a thread, is not read with the conversation up to a message.
  return (
    conversation === undefined || (one.conversation === conversation && (one.seq ?? Number.POSITIVE_INFINITY) <= seq)
  )
}
