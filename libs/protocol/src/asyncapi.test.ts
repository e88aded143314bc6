import { Compile } from 'typebox/schema'
import { expect, test } from 'vitest'
import { asyncApiDocument, commandExamples } from './asyncapi.ts'
import { decodeCommand, isUndecodable } from './decode.ts'
import { down } from './down.ts'
import { entries } from './entries.ts'
import { limits } from './limits.ts'
import { type Op, up } from './up.ts'

interface Message {
  readonly name: string
  readonly summary: string
  readonly description: string
  readonly tags: readonly { name: string }[]
  readonly 'x-delivery-class'?: string
  readonly examples: readonly { payload: unknown }[]
  readonly payload: object
}
interface Operation {
  readonly summary: string
  readonly description: string
  readonly tags: readonly { name: string }[]
}
const made = asyncApiDocument()
const messages = Object.entries(made.components.messages as Readonly<Record<string, Message>>)
const operations = Object.entries(made.operations as Readonly<Record<string, Operation>>)

// That it is valid AsyncAPI is checked by `npm run docs:check`.
test('the AsyncAPI document names every command and event', () => {
  const names = messages.map(([, message]) => message.name)
  expect(names).toEqual(expect.arrayContaining([...Object.keys(up), ...Object.keys(down)]))
})

test.each([...messages, ...operations])('%s has words and a tag that is described', (_, one) => {
  expect(one.summary).toMatch(/\w[^.]$/)
  expect(one.description).toMatch(/[.!]$/)
  const described = made.info.tags.map(tag => tag.name)
  expect(described).toEqual(expect.arrayContaining(one.tags.map(tag => tag.name)))
  expect(one.tags).toHaveLength(1)
})

test.each(messages)('the examples of %s are whole and valid', (_, { examples, payload }) => {
  const schemas = made.components.schemas
  const whole = JSON.stringify({ ...payload, $defs: schemas }).replaceAll('#/components/schemas/', '#/$defs/')
  const check = Compile(JSON.parse(whole) as object)
  expect(examples.length).toBeGreaterThan(0)
  for (const example of examples) {
    expect(check.Check(example.payload) ? [] : check.Errors(example.payload)[1]).toEqual([])
    const text = JSON.stringify(example.payload)
    expect(JSON.stringify(example.payload, (_key, value: unknown) => value ?? null)).toBe(text)
  }
})

test.each(Object.keys(up) as Op[])('the example of %s is taken', op => {
  expect(isUndecodable(decodeCommand(JSON.stringify({ id: 1, op, ...commandExamples[op] })))).toBe(false)
})

test('a command is closed; what a node says is open for fields and kinds of entry that come later', () => {
  const payloadOf = (name: string) => JSON.stringify(messages.find(([key]) => key === name)?.[1].payload)
  expect(payloadOf('messageSend')).toContain('"additionalProperties":false')
  const said = messages.filter(([name]) => /(Event|Reply)$/.test(name)).map(([, message]) => message.payload)
  expect(JSON.stringify([said, made.components.schemas])).not.toContain('"additionalProperties":false')
  const page = messages.find(([key]) => key === 'historyPageReply')?.[1].payload as { oneOf: object[] } | undefined
  const check = Compile(page?.oneOf[0] ?? {})
  const entry = { event: 'poll.opened', conversation: '0197f6a2-8e0a-4d0e-9f57-2f2f1c9d6a11', seq: 7, options: 3 }
  expect(check.Check({ id: 1, ok: { entries: [entry], head: 7, from: 1, epoch: 1, more: false } })).toBe(true)
})

test('every event names its delivery class, and nothing else does', () => {
  const classes = messages.map(([, message]) => [message.name, message['x-delivery-class']])
  expect(classes.filter(([, one]) => one !== undefined)).toEqual(
    Object.values(down).map(({ name, delivery }) => [name, delivery]),
  )
  const named = (of: string) => Object.values(down).flatMap(({ name, delivery }) => (delivery === of ? [name] : []))
  expect(named('entry')).toEqual(Object.keys(entries))
  expect(named('ephemeral').sort()).toEqual([
    'message.delivered',
    'message.read',
    'presence.changed',
    'receipts.counted',
    'typing.start',
    'typing.stop',
  ])
  expect(named('control')).toEqual(['hello', 'sync.heads', 'error'])
})

test('null is a type', () => {
  const text = JSON.stringify(made)
  expect(text).toContain('{"type":"null"}')
  expect(text).not.toContain('nullable')
})

test('hello names every limit that a client can run into', () => {
  const { limits: named } = down.hello.schema.properties
  const tuned = [
    'commandsPerSecond',
    'commandsBurst',
    'personCommandsPerSecond',
    'personCommandsBurst',
    'connectionsPerSessionMax',
    'connectionsPerPersonMax',
    'connectsPerPersonMax',
    'connectsPerAddressMax',
    'socketsPerAddressMax',
    'messagesPerSecond',
    'messagesBurst',
    'fanoutPerSecond',
    'fanoutBurst',
    'storedBytesPerDayMax',
    'commandsInFlightMax',
    'sendQueueBytesMax',
  ]
  expect(Object.keys(named.properties).sort()).toEqual([...Object.keys(limits), ...tuned].sort())
})
