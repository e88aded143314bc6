import type { Draft, EntryOf } from '@flotilla/protocol'
import { beforeEach, expect, test } from 'vitest'
import { type DraftChange, Drafts } from './drafts.ts'
import { FlotillaError } from './flotilla-error.ts'
import type { Rest } from './rest.ts'
import { SimClock } from './simulation/sim-clock.testbed.ts'
import type { Store } from './store.ts'
import { createMemoryStore } from './store-memory.ts'

let clock: SimClock
/** What the server holds, by its rule: the later one stays, and no time is of the future. */
let stored: Map<string, Draft>
let devices: Drafts[]
let puts: number
let away: boolean
let failures: unknown[]

const rest = {
  async list() {
    return { drafts: [...stored.values()].filter(draft => draft.content !== null) }
  },
  async put(conversation: string, { at, content }: { at: number; content: Draft['content'] }) {
    if (away) throw new FlotillaError('disconnected', 'away')
    puts++
    const before = stored.get(conversation)
    const draft = { conversation, at: Math.min(at, clock.now()), content }
    if (before !== undefined && before.at >= draft.at) return before
    stored.set(conversation, draft)
    for (const device of devices) device.heard(draft)
    return draft
  },
} as unknown as Rest['drafts']

beforeEach(() => {
  clock = new SimClock()
  stored = new Map()
  devices = []
  puts = 0
  away = false
  failures = []
})

/** A device, and what its listeners were told. */
function device(store: Store = createMemoryStore()) {
  const told: (string | undefined)[] = []
  const changed = ({ content }: DraftChange) => told.push(content?.text)
  const report = (thrown: unknown) => failures.push(thrown)
  const times = { draftGatherMs: 1_500, draftRestMs: 5_000 }
  const drafts = new Drafts({ rest, store, clock, random: () => 0, changed, report, ...times })
  devices.push(drafts)
  drafts.live()
  const type = (text: string) => drafts.set('c', text === '' ? null : { text })
  return { drafts, told, type, shows: () => drafts.get('c')?.text }
}
const posted = (text: string) =>
  ({ event: 'message.new', conversation: 'c', at: clock.now(), body: { text } }) as EntryOf<'message.new'>

test('keystrokes are saved now and then, and the other device shows them', async () => {
  const [phone, desk] = [device(), device()]
  for (const text of ['H', 'He', 'Hel', 'Hell', 'Hello']) {
    phone.type(text)
    await clock.advance(400)
  }
  await clock.advance(2_000)
  expect(puts).toBe(2)
  expect([phone.shows(), desk.shows(), desk.told.at(-1)]).toEqual(['Hello', 'Hello', 'Hello'])
  expect(phone.told).toEqual([])
})

test('a draft from elsewhere never takes the place of the one being typed in; when nobody types, the later one stays', async () => {
  const [phone, desk] = [device(), device()]
  phone.type('mine')
  await clock.advance(2_000)
  desk.drafts.set('c', { text: 'from the desk' })
  await clock.advance(1_600)
  // Typed 3.6 s ago: it still counts as being typed in.
  expect([stored.get('c')?.content?.text, phone.shows(), phone.told]).toEqual(['from the desk', 'mine', []])
  await clock.advance(5_000)
  expect([phone.shows(), phone.told]).toEqual(['from the desk', ['from the desk']])
  phone.type('mine again')
  desk.type('and so on')
  phone.type('mine after that')
  await clock.advance(20_000)
  expect([phone.shows(), desk.shows()]).toEqual(['mine after that', 'mine after that'])
})

test('sending its text empties it everywhere, by the message itself; another message does not', async () => {
  const [phone, desk] = [device(), device()]
  phone.type('Hello')
  await clock.advance(10_000)
  phone.drafts.sent('c', 'Something else')
  desk.drafts.posted(posted('Something else'))
  expect([phone.shows(), desk.shows()]).toEqual(['Hello', 'Hello'])
  away = true
  phone.drafts.sent('c', 'Hello ')
  desk.drafts.posted(posted('Hello'))
  expect([phone.shows(), desk.shows(), desk.told.at(-1)]).toEqual([undefined, undefined, undefined])
  away = false
  phone.drafts.live()
  await clock.advance(5_000)
  expect(stored.get('c')?.content).toBeNull()
  // A message of before is no reason to empty a later draft of the same words.
  const old = posted('Hello')
  await clock.advance(1_000)
  phone.type('Hello')
  await clock.advance(10_000)
  desk.drafts.posted(old)
  expect(desk.shows()).toBe('Hello')
})

test('what was written offline survives a restart, and is merged by its time', async () => {
  const [phone, store] = [device(), createMemoryStore()]
  const desk = device(store)
  desk.drafts.down()
  desk.type('offline')
  await desk.drafts.close()
  devices = devices.filter(one => one !== desk.drafts)
  phone.type('later')
  await clock.advance(10_000)
  const again = device(store)
  again.drafts.down()
  again.drafts.restore((await store.load()).drafts ?? [])
  expect(again.shows()).toBe('offline')
  again.drafts.live()
  await clock.advance(10_000)
  expect([again.shows(), phone.shows(), stored.get('c')?.content?.text]).toEqual(['later', 'later', 'later'])
  again.drafts.down()
  again.type('offline, and the latest')
  again.drafts.live()
  await clock.advance(10_000)
  expect(phone.shows()).toBe('offline, and the latest')
})

test('a device whose clock is behind still wins by what it types over, and one that is ahead does not win for ever', async () => {
  const [phone, desk] = [device(), device()]
  phone.type('first')
  await clock.advance(10_000)
  clock.set(-3_600_000)
  stored.set('c', { ...stored.get('c')! })
  desk.type('second')
  clock.set(3_600_000)
  await clock.advance(10_000)
  expect([phone.shows(), desk.shows()]).toEqual(['second', 'second'])
  clock.set(86_400_000)
  phone.type('third')
  clock.set(-86_400_000)
  await clock.advance(10_000)
  desk.type('fourth')
  await clock.advance(10_000)
  expect([phone.shows(), desk.shows()]).toEqual(['fourth', 'fourth'])
})

test('what was lost is read: a change, and that one was emptied', async () => {
  const desk = device()
  stored.set('c', { conversation: 'c', at: clock.now(), content: { text: 'unheard of' } })
  await desk.drafts.read()
  expect(desk.shows()).toBe('unheard of')
  stored.clear()
  await desk.drafts.read()
  expect([desk.shows(), desk.told]).toEqual([undefined, ['unheard of', undefined]])
})

test('where the list is too long to be read, what is not in it stays; what cannot be read is said to whoever asked', async () => {
  const desk = device()
  stored.set('c', { conversation: 'c', at: clock.now(), content: { text: 'kept' } })
  await desk.drafts.read()
  const { list } = rest
  rest.list = async () => ({ drafts: [], next: 'more' })
  await desk.drafts.read()
  expect(desk.shows()).toBe('kept')
  rest.list = async () => Promise.reject(new Error('away'))
  await expect(desk.drafts.read()).rejects.toThrow('away')
  rest.list = list
  expect(failures).toEqual([])
})

test('one that is refused for good is told, and not tried again', async () => {
  const phone = device()
  const put = rest.put
  rest.put = async () => {
    puts++
    throw new FlotillaError('not_a_member', 'gone')
  }
  phone.type('x')
  await clock.advance(60_000)
  rest.put = put
  expect([puts, failures.length, phone.shows()]).toEqual([1, 1, 'x'])
})
