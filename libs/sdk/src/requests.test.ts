import { beforeEach, expect, test } from 'vitest'
import { type FlotillaError } from './flotilla-error.ts'
import { Requests } from './requests.ts'
import { SimClock } from './simulation/sim-clock.testbed.ts'

let clock: SimClock
let frames: { id?: number; op: string }[]
let requests: Requests

beforeEach(() => {
  clock = new SimClock()
  frames = []
  requests = new Requests({
    clock,
    write: text => frames.push(JSON.parse(text) as { id?: number; op: string }),
    timeoutMs: 1_000,
    queueMax: 20,
  })
  requests.open({ frameBytesMax: 500, commandsPerSecond: 10, commandsBurst: 10 })
})

const page = () => requests.request('history.page', { conversation: 'c' })
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'answered',
    (error: FlotillaError) => error.code,
  )

test('each command has a number of its own and gets the answer of that number', async () => {
  const [one, two] = [page(), page()]
  expect(frames).toEqual([1, 2].map(id => ({ id, op: 'history.page', conversation: 'c' })))
  requests.answer({ id: 2, ok: 'second' })
  requests.answer({ id: 1, ok: 'first' })
  expect(await Promise.all([one, two])).toEqual(['first', 'second'])
})

test('an error of the server comes as it is', async () => {
  const asked = page()
  requests.answer({ id: 1, error: { code: 'rate_limited', message: 'slowly', retryMs: 70, field: 'f', rule: 'r' } })
  await expect(asked).rejects.toMatchObject({ code: 'rate_limited', retryMs: 70, field: 'f', rule: 'r', retry: true })
})

test('a code that this version does not know is worth a retry only when the server says when', async () => {
  const [one, two] = [page(), page()]
  requests.answer({ id: 1, error: { code: 'brand_new', message: 'x', retryMs: 70 } as never })
  requests.answer({ id: 2, error: { code: 'brand_new', message: 'x' } as never })
  await expect(one).rejects.toMatchObject({ code: 'brand_new', retry: true })
  await expect(two).rejects.toMatchObject({ code: 'brand_new', retry: false })
})

test('without an answer it times out, and a late one finds nobody', async () => {
  const asked = codeOf(page())
  await clock.advance(1_000)
  requests.answer({ id: 1, ok: 'late' })
  expect(await asked).toBe('timed_out')
})

test('when the connection goes everybody who waits hears it, in the queue too; without one nothing is taken', async () => {
  const asked = Array.from({ length: 12 }, () => codeOf(page()))
  expect(frames.length).toBeLessThan(12)
  requests.close()
  expect(new Set(await Promise.all(asked))).toEqual(new Set(['disconnected']))
  expect(await codeOf(page())).toBe('disconnected')
  expect(requests.tell('typing.start', { conversation: 'c' })).toBe(false)
})

test('the rate of the node is kept, and the order', async () => {
  for (let seq = 0; seq < 25; seq++) requests.tell('message.read', { conversation: 'c', seq })
  expect(frames.length).toBe(9)
  await clock.advance(1_000)
  expect(frames.length).toBeLessThanOrEqual(9 + 10)
  await clock.advance(2_000)
  expect(frames.map(frame => (frame as { seq?: number }).seq)).toEqual(Array.from({ length: 25 }, (_, seq) => seq))
})

test('time in the queue does not count as waiting for the answer; a page counts for more than a receipt', async () => {
  for (let seq = 0; seq < 28; seq++) requests.tell('message.read', { conversation: 'c', seq })
  const asked = codeOf(page())
  await clock.advance(2_300)
  expect(frames.at(-1)?.op).toBe('message.read')
  await clock.advance(400)
  expect(frames.at(-1)?.op).toBe('history.page')
  requests.answer({ id: 1, ok: {} })
  expect(await asked).toBe('answered')
})

test('what is urgent does not wait for the rate; what is ephemeral waits for nothing', () => {
  for (let seq = 0; seq < 15; seq++) requests.tell('message.read', { conversation: 'c', seq })
  expect(requests.flushed).toBe(false)
  void codeOf(requests.request('ping', {}, { urgent: true }))
  expect(frames.at(-1)?.op).toBe('ping')
  expect(requests.tell('typing.start', { conversation: 'c' }, { ephemeral: true })).toBe(false)
})

test('the queue has an end', async () => {
  for (let seq = 0; seq < 29; seq++) expect(requests.tell('message.read', { conversation: 'c', seq })).toBe(true)
  expect(requests.tell('message.read', { conversation: 'c', seq: 99 })).toBe(false)
  expect(await codeOf(page())).toBe('queue_full')
})

test('a frame beyond the limit of the node is refused here, by its size in UTF-8', async () => {
  const post = (text: string) =>
    codeOf(requests.request('message.send', { conversation: 'c', clientId: 'x', body: { text } }))
  expect(await post('€'.repeat(150))).toBe('frame_too_large')
  void post('e'.repeat(150))
  expect(frames).toHaveLength(1)
})

test('a node that names no rate has none', () => {
  requests.open({ frameBytesMax: 500, commandsPerSecond: 0, commandsBurst: 0 })
  for (let seq = 0; seq < 500; seq++) requests.tell('message.read', { conversation: 'c', seq })
  expect(frames).toHaveLength(500)
})
