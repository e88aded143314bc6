// @vitest-environment happy-dom
import type { Client, DraftContent, User } from '@flotilla/sdk'
import type { ChatState, MessageRow, Readable, Timeline, TimelineView } from '@flotilla/sdk/state'
import { readFileSync } from 'node:fs'
import { act, createElement, memo, type ReactNode } from 'react'
import { createRoot, type Root } from 'react-dom/client'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { FlotillaProvider, useConversations, useMessages, usePresence, useUnread, useUser } from './index.ts'
import { Room } from './room.testbed.tsx'

vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)

/** A value that a test sets. */
function cell<T>(value: T): Readable<T> & { set(value: T): void; listeners: Set<() => void> } {
  const listeners = new Set<() => void>()
  let now = value
  return {
    listeners,
    get: () => now,
    subscribe: changed => {
      listeners.add(changed)
      return () => listeners.delete(changed)
    },
    set: value => {
      now = value
      for (const changed of Array.from(listeners)) changed()
    },
  }
}

const row = (key: string, text: string): MessageRow => ({
  kind: 'message',
  key,
  by: 'bob',
  at: 1,
  own: false,
  body: { text },
  state: 'sent',
  changing: false,
  pinned: false,
  reactions: [],
})
const view = (rows: readonly MessageRow[]): TimelineView => ({
  rows,
  hasOlder: true,
  hasNewer: false,
  loading: 'none',
  discontinuity: 0,
})

/** A state of which a test sets what it shows. */
function fakeState() {
  const messages = cell(view([row('1', 'one'), row('2', 'two')]))
  const user = cell<User | undefined>(undefined)
  const typing = cell<readonly string[]>([])
  const draft = cell<DraftContent | undefined>(undefined)
  const unread = cell({ unread: 1, mentions: 0, loud: 1 })
  const conversations = cell({ isLoaded: true, items: [], archived: [], requests: [], joinRequests: [] })
  const presence = cell<boolean | undefined>(undefined)
  const sent: string[] = []
  const timelines = new Map<string, Timeline>()
  const timeline = (conversation: string): Timeline => {
    const known = timelines.get(conversation)
    if (known !== undefined) return known
    const send: Timeline['send'] = ({ body }) => {
      sent.push('text' in body ? body.text : '')
      return {} as ReturnType<Timeline['send']>
    }
    const made = { ...messages, conversation, send, older: async () => void sent.push('older') } as unknown as Timeline
    timelines.set(conversation, made)
    return made
  }
  const state = {
    timeline,
    // Made anew each time, as the state does.
    user: () => ({ ...user }),
    typing: () => ({ ...typing }),
    presence: () => ({ ...presence }),
    draft: () => ({ ...draft }),
    unread,
    conversations,
  } as unknown as ChatState
  return { state, messages, user, typing, draft, unread, presence, sent }
}

let root: Root
let container: HTMLElement
beforeEach(() => {
  container = document.createElement('div')
  root = createRoot(container)
})
afterEach(() => act(async () => root.unmount()))

const client = {} as Client
const show = (state: ChatState, child: ReactNode) =>
  act(async () => root.render(createElement(FlotillaProvider, { client, state }, child)))

test('the room of the README shows messages, names, who types, and sends what was written', async () => {
  const { state, messages, user, typing, draft, sent } = fakeState()
  await show(state, createElement(Room, { id: 'c1' }))
  expect([...container.querySelectorAll('li')].map(li => li.textContent)).toEqual(['…: one', '…: two'])
  await act(async () => user.set({ id: 'bob', username: 'bob', displayName: 'Bob', avatar: null }))
  await act(async () =>
    messages.set(view([row('1', 'one'), row('2', 'two'), { ...row('3', 'three'), state: 'sending' }])),
  )
  expect(container.querySelector('ol')?.textContent).toBe('Bob: oneBob: twoBob: three')
  await act(async () => typing.set(['bob']))
  expect(container.querySelector('p')).not.toBeNull()
  await act(async () => draft.set({ text: 'hello' }))
  expect(container.querySelector('input')?.value).toBe('hello')
  await act(async () => container.querySelector('button')!.click())
  await act(async () => container.querySelector('form')!.requestSubmit())
  expect(sent).toEqual(['older', 'hello'])
})

test('the example in the README is the file that is tested', () => {
  const readme = readFileSync(`${import.meta.dirname}/../README.md`, 'utf8')
  const example = readFileSync(`${import.meta.dirname}/room.testbed.tsx`, 'utf8').replace(/^.*\n/, '')
  expect(readme).toContain(example.trim())
})

test('a component renders when what it shows has changed, and not before', async () => {
  const { state, messages, unread, presence } = fakeState()
  const renders = { row: 0, list: 0, unread: 0, presence: 0 }
  const Line = memo(({ shown }: { shown: MessageRow }) => {
    renders.row += 1
    return shown.key
  })
  const List = () => {
    renders.list += 1
    const { rows } = useMessages('c1')
    return rows.map(one => one.kind === 'message' && createElement(Line, { key: one.key, shown: one }))
  }
  const Unread = () => {
    renders.unread += 1
    return String(useUnread().unread + useConversations().items.length)
  }
  const Here = () => {
    renders.presence += 1
    return String(usePresence('bob'))
  }
  await show(state, [
    createElement(List, { key: 1 }),
    createElement(Unread, { key: 2 }),
    createElement(Here, { key: 3 }),
  ])
  expect(renders).toEqual({ row: 2, list: 1, unread: 1, presence: 1 })
  const { rows } = messages.get()
  await act(async () => messages.set(view([...(rows as MessageRow[]), row('3', 'three')])))
  expect(renders).toEqual({ row: 3, list: 2, unread: 1, presence: 1 })
  await act(async () => unread.set({ unread: 2, mentions: 0, loud: 2 }))
  await act(async () => presence.set(true))
  expect(renders).toEqual({ row: 3, list: 2, unread: 2, presence: 2 })
})

test('one subscription a hook, however often it renders, and none when it is gone', async () => {
  const { state, messages, user } = fakeState()
  const seen = new Set<unknown>()
  const Both = ({ id }: { id: string }) => {
    const { actions } = useMessages(id)
    seen.add(actions)
    return useUser('bob')?.displayName
  }
  const shown = (id: string) => show(state, createElement(Both, { id }))
  await shown('c1')
  await shown('c1')
  await act(async () => messages.set(view([])))
  expect([messages.listeners.size, user.listeners.size, seen.size]).toEqual([1, 1, 1])
  await shown('c2')
  expect([messages.listeners.size, user.listeners.size, seen.size]).toEqual([1, 1, 2])
  await show(state, undefined)
  expect([messages.listeners.size, user.listeners.size]).toEqual([0, 0])
})

test('a hook without a provider says so', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => {})
  const Lost = () => String(useUnread().unread)
  await expect(() => act(async () => root.render(createElement(Lost)))).rejects.toThrow(/FlotillaProvider/)
})
