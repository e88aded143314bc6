/** The AsyncAPI 3 document of the wire, made from the same schemas that check it. */
import { closeCodes } from './close-codes.ts'
import { down } from './down.ts'
import { ErrorSchema } from './down/error.ts'
import { errors } from './errors.ts'
import { exampleOf, joinWords, type Json, openAnswers, type Schema, wireValues } from './document.ts'
import { type EntryOp, entryCommands } from './entries.ts'
import { deliveryClasses } from './message.ts'
import { type Op, up } from './up.ts'
import { protocolVersion } from './version.ts'

/** `message.send` → `messageSend`: AsyncAPI keys may not hold dots. */
const key = (name: string) => name.replace(/\.(\w)/g, (_, letter: string) => letter.toUpperCase())
const plain = (schema: object) => joinWords(JSON.parse(JSON.stringify(schema)) as Json) as object
/** What a node says, where a later one may say more. */
const answer = (schema: object) => openAnswers(plain(schema) as Json) as Schema

const conversation = '5f0c9a52-8e0a-4d0e-9f57-2f2f1c9d6a11'
const bob = '0b1f6c1e-6c0d-4a57-8a43-7f9d3c1e5b22'
/** What a command must have, of those that make entries. */
const exampleOfEntryCommand = ({ schema }: (typeof entryCommands)[EntryOp]) => {
  const { required = [], properties } = JSON.parse(JSON.stringify(schema)) as Schema
  const fields = required.filter(field => field !== 'id' && field !== 'op')
  return Object.fromEntries(
    fields.map(field => [field, exampleOf(properties?.[field] ?? {}, wireValues, undefined, field)]),
  )
}

/** One of each; a test holds them against their schemas. */
export const commandExamples: { readonly [O in Op]: object } = {
  ...(Object.fromEntries(
    Object.values(entryCommands).map(declared => [declared.op, exampleOfEntryCommand(declared)]),
  ) as { [O in EntryOp]: object }),
  'message.send': { conversation, clientId: '9a3e8f70-1c55-4c0b-b0ad-0c6b6a1f4d33', body: { text: 'Hello' } },
  'message.delivered': { conversation, seq: 42 },
  'message.read': { conversation, seq: 42 },
  'history.page': { conversation, before: 42, limit: 50 },
  'sync.resume': { epoch: 1, cursors: [{ conversation, seq: 41 }] },
  'typing.start': { conversation },
  'typing.stop': { conversation },
  'presence.watch': { users: [bob] },
  'presence.unwatch': { users: [bob] },
  ping: { seen: [{ conversation, seq: 42 }] },
}

const tags: Readonly<Record<string, string>> = {
  block: 'Blocked users.',
  contact: 'Contacts and contact requests.',
  conversation: 'Conversations as a whole.',
  draft: 'Unsent messages, on the user’s own devices.',
  error: 'Failures that cannot be sent as a reply.',
  hello: 'The start of a connection.',
  history: 'Conversation history.',
  join: 'Requests to join groups.',
  member: 'Membership and roles.',
  message: 'Messages and receipts.',
  messages: 'Several messages at once.',
  notification: 'Notifications.',
  ping: 'Keepalive.',
  poll: 'Votes and results of polls.',
  presence: 'Who is online.',
  reaction: 'Reactions in large conversations.',
  receipts: 'Receipts in large conversations.',
  refresh: 'Reloading state that is not in a log.',
  reminder: 'Reminders.',
  scheduled: 'Scheduled messages.',
  sync: 'Catching up after a disconnect.',
  thread: 'Followed threads.',
  typing: 'Typing indicators.',
  user: 'Names and avatars.',
}
/** `message.send` is about messages. */
const tagsOf = (name: string) => [{ name: name.split('.')[0] ?? name }]
const firstSentence = (text: string) => text.replace(/^(.+?[.:])\s.*$/s, '$1').replace(/[.:]$/, '')
const words = (description: string) => ({ summary: firstSentence(description), description })

const idOf = { type: 'integer', minimum: 0, description: 'The id of the command.' }

const replyTo = ({ op, reply }: { readonly op: Op; readonly reply: object }) => {
  const ok = answer(reply)
  return {
    name: `${op} reply`,
    title: `Reply to ${op}`,
    summary: `Reply to ${op}`,
    description: ok.description ?? 'The result, or the `error`.',
    tags: tagsOf(op),
    examples: [
      { name: 'done', payload: { id: 1, ok: exampleOf(ok) } },
      {
        name: 'refused',
        payload: { id: 1, error: { code: 'rate_limited', message: errors.rate_limited.meaning, retryMs: 500 } },
      },
    ],
    payload: {
      oneOf: [
        { type: 'object', required: ['id', 'ok'], properties: { id: idOf, ok } },
        { $ref: '#/components/schemas/ErrorReply' },
      ],
    },
  }
}

/** The whole document, ready to be serialised. */
export function asyncApiDocument() {
  const { messages, operations, channelMessages } = collect()
  return {
    asyncapi: '3.1.0',
    info: infoOfDocument(),
    servers: {
      gateway: {
        host: '{gateway}',
        protocol: 'wss',
        title: 'A gateway',
        description: 'One of the URLs from `GET /v1/connect`. `ws` instead of `wss` only on localhost.',
        variables: { gateway: { default: 'localhost:8080', description: 'Host and port of the URL.' } },
        security: [{ $ref: '#/components/securitySchemes/ticket' }],
      },
    },
    channels: {
      socket: {
        address: '/v1/socket',
        title: 'The socket',
        description: 'A single WebSocket for all commands and events.',
        messages: channelMessages,
        bindings: {
          ws: {
            query: {
              type: 'object',
              required: ['ticket'],
              properties: {
                ticket: { type: 'string', description: 'The one-time ticket from `GET /v1/connect`.' },
                v: { type: 'integer', description: 'The client’s protocol version.' },
                lines: {
                  const: 1,
                  description: 'A frame to the client may hold several replies and events, one per line.',
                },
              },
            },
          },
        },
      },
    },
    operations,
    components: {
      messages,
      securitySchemes: {
        ticket: {
          type: 'httpApiKey',
          name: 'ticket',
          in: 'query',
          description: 'From `GET /v1/connect`. Valid once, for 30 seconds.',
        },
      },
      schemas: {
        Error: answer(ErrorSchema),
        ErrorReply: {
          type: 'object',
          required: ['id', 'error'],
          properties: { id: idOf, error: { $ref: '#/components/schemas/Error' } },
        },
      },
    },
  }
}

const infoOfDocument = () => ({
  title: 'Flotilla socket protocol',
  version: `${protocolVersion}.0.0`,
  license: { name: 'Apache-2.0' },
  tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
  description: [
    'JSON text frames over a WebSocket. A command has an id and an op; its reply has the same id. An event has no id.',
    '',
    '## Delivery classes',
    'Each event declares its class in `x-delivery-class`.',
    ...Object.entries(deliveryClasses).map(([name, meaning]) => `- \`${name}\`: ${meaning}`),
    '',
    '## Errors',
    ...Object.entries(errors).map(
      ([code, row]) => `- \`${code}\` (HTTP ${row.http}${row.retry ? ', retry' : ''}): ${row.meaning}`,
    ),
    '',
    '## Close codes',
    ...Object.entries(closeCodes).map(([name, row]) => `- \`${row.code}\` ${name}: ${row.meaning}`),
  ].join('\n'),
})

/** A message and an operation for each command and each event, and a message for each reply. */
function collect() {
  const messages: Record<string, object> = {}
  const operations: Record<string, object> = {}
  const channelMessages: Record<string, object> = {}
  const address = (name: string) => ({ $ref: `#/channels/socket/messages/${name}` })
  const add = (name: string, message: object) => {
    messages[name] = message
    channelMessages[name] = { $ref: `#/components/messages/${name}` }
  }
  for (const declared of Object.values(up)) {
    const name = key(declared.op)
    const about = { ...words(declared.description), tags: tagsOf(declared.op) }
    const payload = { id: 1, op: declared.op, ...commandExamples[declared.op] }
    add(name, {
      name: declared.op,
      title: declared.op,
      ...about,
      examples: [{ name: 'example', payload }],
      payload: plain(declared.schema),
    })
    add(`${name}Reply`, replyTo(declared))
    operations[name] = {
      action: 'receive',
      channel: { $ref: '#/channels/socket' },
      ...about,
      messages: [address(name)],
      reply: { channel: { $ref: '#/channels/socket' }, messages: [address(`${name}Reply`)] },
    }
  }
  for (const declared of Object.values(down)) {
    const name = `${key(declared.name)}Event`
    const about = { ...words(declared.description), tags: tagsOf(declared.name) }
    const payload = answer(declared.schema)
    const examples = [{ name: 'example', payload: exampleOf(payload) }]
    add(name, {
      name: declared.name,
      title: declared.name,
      ...about,
      'x-delivery-class': declared.delivery,
      examples,
      payload,
    })
    operations[name] = {
      action: 'send',
      channel: { $ref: '#/channels/socket' },
      ...about,
      messages: [address(name)],
    }
  }
  return { messages, operations, channelMessages }
}
