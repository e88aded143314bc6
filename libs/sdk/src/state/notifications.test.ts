import type { Notification } from '@flotilla/protocol'
import { beforeEach, expect, test } from 'vitest'
import type { Client } from '../client.ts'
import { FlotillaError } from '../flotilla-error.ts'
import type { NotificationChange } from '../options.ts'
import { createNotifications, type Notifications } from './notifications.ts'

const one = (nth: number, more: Partial<Notification> = {}): Notification => ({
  id: `n${nth}`,
  kind: 'mention',
  at: nth,
  read: false,
  conversation: 'c1',
  seq: nth,
  detail: {},
  ...more,
})

/** The newest first, as the server has them. */
let stored: Notification[]
let asked: string[]
let listeners: Map<string, (change: NotificationChange) => void>
let before: () => Promise<void>
let list: Notifications

const unread = () => stored.filter(({ read }) => !read).length
const notifications = {
  async count() {
    asked.push('count')
    const answer = { unread: unread() }
    await before()
    return answer
  },
  async list({ limit = 50, after = '' }: { readonly limit?: number; readonly after?: string }) {
    asked.push(`list ${after}`)
    const from = after === '' ? 0 : stored.findIndex(({ id }) => id === after) + 1
    const page = stored.slice(from, from + limit)
    const isLast = from + limit >= stored.length
    await before()
    return { notifications: page, ...(isLast ? {} : { next: page.at(-1)!.id }) }
  },
  async markRead(id: string) {
    stored = stored.map(other => (other.id === id ? { ...other, read: true } : other))
    return { unread: unread() }
  },
  async markAllRead() {
    stored = stored.map(other => ({ ...other, read: true }))
    return { unread: 0 }
  },
}
const client = {
  state: { name: 'live' },
  rest: { notifications },
  on(name: string, heard: (change: NotificationChange) => void) {
    listeners.set(name, heard)
    return () => void listeners.delete(name)
  },
} as unknown as Client

const tell = (change: NotificationChange) => listeners.get('notification')?.(change)
const come = (notification: Notification) => {
  stored = [notification, ...stored.filter(({ id }) => id !== notification.id)]
  tell({ event: 'notification.new', notification, unread: unread() })
}
const ids = () => list.get().items.map(({ id }) => id)
const settle = () => new Promise(resolve => setTimeout(resolve, 30))

beforeEach(() => {
  stored = Array.from({ length: 45 }, (_, nth) => one(45 - nth))
  asked = []
  listeners = new Map()
  before = async () => {}
  list = createNotifications(client)
})
const attend = () => list.subscribe(() => {})

test('nothing is asked until somebody looks; then how many wait, and no more', async () => {
  await settle()
  expect(asked).toEqual([])
  const leave = attend()
  await settle()
  expect(asked).toEqual(['count'])
  expect(list.get()).toEqual({ unread: 45, items: [], hasMore: true, loading: false })
  leave()
  expect([...listeners.keys()]).toEqual([])
})

test('pages follow each other to the end, and two that ask at once ask once', async () => {
  attend()
  await Promise.all([list.more(), list.more()])
  expect(ids()).toHaveLength(20)
  await list.more()
  await list.more()
  expect(ids()).toEqual(stored.map(({ id }) => id))
  expect(list.get()).toMatchObject({ hasMore: false, loading: false })
  await list.more()
  expect(asked.filter(what => what.startsWith('list'))).toEqual(['list ', 'list n26', 'list n6'])
})

test('a new one is the first, one that gathers more comes up, and one behind the page waits for it', async () => {
  attend()
  await list.more()
  come(one(46))
  expect(ids().slice(0, 2)).toEqual(['n46', 'n45'])
  expect(list.get().unread).toBe(46)
  come(one(30, { at: 47, detail: { people: '2' } }))
  expect(ids().slice(0, 2)).toEqual(['n30', 'n46'])
  expect(ids().filter(id => id === 'n30')).toHaveLength(1)
  tell({ event: 'notification.new', notification: one(3), unread: 46 })
  expect(ids()).not.toContain('n3')
})

test.each([
  ['one', { notification: 'n45' }, ['n45']],
  ['those of a conversation up to a message', { conversation: 'c1', seq: 27 }, ['n27', 'n26']],
  ['those of another conversation', { conversation: 'c2' }, []],
])('%s is read elsewhere', async (_name, which, read) => {
  attend()
  await list.more()
  tell({ event: 'notification.read', unread: 7, ...which })
  expect(
    list
      .get()
      .items.filter(item => item.read)
      .map(({ id }) => id),
  ).toEqual(read)
  expect(list.get().unread).toBe(7)
})

test('what has no seq of its own is not read with its conversation', async () => {
  attend()
  await list.more()
  come(one(50, { kind: 'thread_reply', conversation: 'c3', detail: { thread: '1', seq: '2' } }))
  const { seq: _, ...own } = one(51, { kind: 'thread_reply', conversation: 'c3', detail: { thread: '1', seq: '2' } })
  come(own)
  tell({ event: 'notification.read', unread: 1, conversation: 'c3', seq: 99 })
  expect(list.get().items.slice(0, 2)).toMatchObject([
    { id: 'n51', read: false },
    { id: 'n50', read: true },
  ])
})

test('what one has seen is so at once, and what one has left is gone', async () => {
  attend()
  await list.more()
  await list.markRead('n40')
  expect(list.get().unread).toBe(44)
  expect(list.get().items.find(({ id }) => id === 'n40')?.read).toBe(true)
  await list.markAllRead()
  expect(list.get().items.every(({ read }) => read)).toBe(true)
  tell({ event: 'notification.removed', conversation: 'c1', unread: 0 })
  expect(ids()).toEqual([])
})

test('what is told while it is read is not lost, and no older count is shown over it', async () => {
  let go = () => {}
  const held = new Promise<void>(resolve => {
    go = resolve
  })
  before = () => held
  attend()
  const reading = list.more()
  come(one(46))
  go()
  await reading
  await settle()
  expect(ids()[0]).toBe('n46')
  expect(list.get().unread).toBe(46)
})

test('read anew, the first page changes and what lies behind it stays', async () => {
  attend()
  await list.more()
  await list.more()
  stored = [one(46), ...stored].map(item => (item.id === 'n45' ? { ...item, read: true } : item))
  listeners.get('refresh')?.({} as never)
  await settle()
  expect(ids()).toEqual(stored.slice(0, 41).map(({ id }) => id))
  expect(list.get().items[1]).toMatchObject({ id: 'n45', read: true })
  await list.more()
  expect(ids()).toEqual(stored.map(({ id }) => id))
})

test('a page that fails says why, and is read the next time', async () => {
  attend()
  await settle()
  before = async () => {
    throw new FlotillaError('overloaded', 'unable to')
  }
  await list.more()
  expect(list.get()).toMatchObject({ loading: false, hasMore: true, error: { code: 'overloaded' } })
  before = async () => {}
  await list.more()
  expect(list.get().error).toBeUndefined()
  expect(ids()).toHaveLength(20)
})
