/** docs/protocol.md: the wire in words and tables, made from the schemas that check it. */
import {
  closeCodes,
  commandWeights,
  type DeliveryClass,
  errors,
  limits,
  namedPerToken,
  type Op,
  protocolVersion,
  protocolVersionMin,
} from '@flotilla/protocol'
import {
  At,
  asyncApiDocument,
  Body,
  ConversationCursor,
  ConversationHead,
  Cursor,
  commandExamples,
  deliveryClasses,
  decodeCommand,
  down,
  Entry,
  Epoch,
  ErrorSchema,
  entries,
  isUndecodable,
  MemberRef,
  Role,
  Seq,
  TextBody,
  Uuid,
  up,
  Verdict,
} from '@flotilla/protocol/schemas'

/** The part of JSON Schema that the wire uses. */
interface Schema {
  readonly type?: string
  readonly const?: unknown
  readonly anyOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly description?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
}

const plain = (schema: object) => JSON.parse(JSON.stringify(schema)) as Schema

/** Shapes that have a name of their own; everything else is written out where it stands. */
const shapes = {
  Uuid,
  Seq,
  Cursor,
  At,
  Epoch,
  Role,
  Body,
  TextBody,
  MemberRef,
  ConversationCursor,
  ConversationHead,
  Entry,
  Verdict,
  Error: ErrorSchema,
}
const names = new Map(Object.entries(shapes).map(([name, schema]) => [JSON.stringify(schema), name]))

const range = (min: number | undefined, max: number | undefined, unit: string) =>
  min !== undefined && max !== undefined
    ? `, ${min} to ${max}${unit}`
    : max !== undefined
      ? `, at most ${max}${unit}`
      : min !== undefined
        ? `, at least ${min}${unit}`
        : ''

function typeOf(schema: Schema): string {
  const name = names.get(JSON.stringify(schema))
  if (name !== undefined) return `[${name}](#${name.toLowerCase()})`
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(' or ')
  if (schema.type === 'array')
    return `array of ${typeOf(schema.items ?? {})}${range(schema.minItems, schema.maxItems, '')}`
  if (schema.type === 'string') return `text${range(schema.minLength, schema.maxLength, ' code points')}`
  if (schema.type === 'integer') return `whole number${range(schema.minimum, schema.maximum, '')}`
  if (schema.type === 'null') return '`null`'
  return schema.type === 'boolean' ? 'true or false' : 'JSON object'
}

const cell = (text: string) => text.replaceAll('|', '\\|')

function fieldRows(schema: Schema, passOver: readonly string[], prefix = ''): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([field, inner]) => {
    if (prefix === '' && passOver.includes(field)) return []
    const optional = schema.required?.includes(field) === true ? '' : 'yes'
    const about = names.has(JSON.stringify(inner)) ? '' : (inner.description ?? '')
    const row = `| \`${prefix}${field}\` | ${cell(typeOf(inner))} | ${optional} | ${cell(about)} |`
    const isOpen = inner.properties !== undefined && !names.has(JSON.stringify(inner))
    return isOpen ? [row, ...fieldRows(inner, [], `${prefix}${field}.`)] : [row]
  })
}

function fields(schema: object, passOver: readonly string[], none: string): string {
  const rows = fieldRows(plain(schema), passOver)
  if (rows.length === 0) return none
  return ['| field | type | optional | about |', '|---|---|---|---|', ...rows].join('\n')
}

function commandPaper(op: Op): string {
  const declared = up[op]
  const frame = JSON.stringify({ id: 1, op, ...commandExamples[op] })
  const decoded = decodeCommand(frame)
  if (isUndecodable(decoded)) throw new Error(`unable to write the protocol down: the example of ${op} is not valid`)
  const about = plain(declared.reply).description
  return [
    `### ${op}`,
    declared.description,
    declared.quiet ? 'The `id` may be left out: then only a failure is answered, by an `error` event.' : '',
    ['```json', frame, '```'].join('\n'),
    fields(declared.schema, ['id', 'op'], 'No fields of its own.'),
    `Reply, in \`ok\`:${about === undefined ? '' : ` ${about}`}`,
    fields(declared.reply, [], '`{}`'),
  ]
    .filter(part => part !== '')
    .join('\n\n')
}

interface Declared {
  readonly name: string
  readonly delivery: DeliveryClass
  readonly description: string
  readonly schema: object
}

const eventPaper = ({ name, delivery, description, schema }: Declared, passOver: readonly string[]) =>
  [
    `### ${name}`,
    description,
    `Delivery class: [${delivery}](#delivery-classes).`,
    fields(schema, passOver, 'No fields of its own.'),
  ].join('\n\n')

function shapePaper(name: string, schema: object): string {
  const { description, properties, anyOf, ...simple } = plain(schema)
  const variants =
    anyOf?.every(one => one.properties !== undefined) === true
      ? anyOf.map(
          one =>
            `- \`${String(one.properties?.['verdict']?.const)}\`: ${one.description ?? ''} Fields: ${Object.keys(
              one.properties ?? {},
            )
              .map(field => `\`${field}\``)
              .join(', ')}.`,
        )
      : []
  const type = anyOf === undefined ? typeOf(simple) : anyOf.map(typeOf).join(', ')
  const body =
    name === 'Entry'
      ? 'One entry of a log: one of the events under [Entries](#entries), with all their fields.'
      : name === 'Body'
        ? 'What a message says: a [TextBody](#textbody), or content that a later version has brought. That has `type`, fields of its own, and `fallback`: show this where you do not know the type.'
        : name === 'Error'
          ? 'What went wrong. `code` is one of [Errors](#errors); `field` and `rule` say what was not valid, `retryMs` when to come again.'
          : variants.length > 0
            ? ['What a device gets for one conversation.', '', ...variants].join('\n')
            : properties !== undefined
              ? fields(schema, [], '')
              : `${type}.${description === undefined ? '' : ` ${description}`}`
  return `### ${name}\n\n${body}`
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.map(one => cell(String(one))).join(' | ')} |`
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')
}

/** @param limitSentences what each limit is about, by its name */
export function protocolDoc(limitSentences: ReadonlyMap<string, string>): string {
  const place = ['event', 'conversation', 'seq', 'epoch', 'at', 'by']
  const others = Object.values(down).filter(declared => !(declared.name in entries))
  const { address } = asyncApiDocument().channels.socket
  return `${[
    '# The socket protocol',
    '*Made by `npm run docs` from the schemas in libs/protocol. The same as a document for tools: [asyncapi.json](asyncapi.json).*',
    `Version ${protocolVersion}; a node speaks ${protocolVersionMin} to ${protocolVersion}.`,
    '## Opening a socket',
    [
      `Ask \`GET /v1/connect\` with the access token. It answers with ranked URLs and a ticket that is good once and for 30 seconds. Open \`<url>?ticket=<ticket>&v=${protocolVersion}\`; the path is \`${address}\`. The first frame is the event \`hello\`: from then on the person is live here, and what it says about limits and times is in force. Before it no command is taken.`,
      'Then send `sync.resume` with the cursors of the device. Register first, read the heads second: that order is why nothing falls between the two.',
      `A device without cursors sends none: the answer then names every conversation of the person. It gets each from the first entry that the person may see, in replays of up to ${limits.resumeEntriesMax.toLocaleString('en')} entries in all and in pages after that. With \`"start": "latest"\` it gets the last ${limits.resumeLatestMax} entries of each instead, with \`"start": "unread"\` those after what the person has read; older ones are read with \`history.page\` when they are wanted. The seq before the first entry that it gets is its cursor (the head, if a replay is empty), and from there on nothing is missing. A node that refuses \`start\` as unknown is of an older version: ask without it.`,
      `An answer names at most ${limits.resumeConversationsMax.toLocaleString('en')} conversations that the command does not name, in the order of their ids. When it has \`next\`, ask again with \`after\` set to that, and with the cursors of the ids beyond it.`,
      `A device with more than ${limits.resumeCursorsMax} cursors sorts them by id and sends several commands, one after the other: each with the next ${limits.resumeCursorsMax} cursors, with \`upto\` set to its last id (not in the last command) and \`after\` to the last id of the command before. So each is also answered about what the device does not know in between. Cursors of another epoch go in commands of their own with \`"only": true\`. A node that refuses \`after\` or \`upto\` as unknown is of an older version: send all but one of the commands with \`"only": true\` instead, and pass over what the answer to the other one says of conversations that another command has named.`,
    ].join('\n\n'),
    '## Frames',
    [
      'Frames are JSON objects in text frames. There are three kinds:',
      '- a **command** from the client: `{"id": 1, "op": "message.send", …}`. The client chooses the `id`; commands need not wait for each other, and replies may come in another order.',
      '- a **reply** to it: `{"id": 1, "ok": {…}}` or `{"id": 1, "error": {"code": "…", "message": "…"}}`.',
      '- an **event**: `{"event": "message.new", …}`, without an id, never answered.',
      '',
      'Text is well-formed Unicode: half of a surrogate pair and U+0000 are refused, also as escapes, also in keys. Write characters rather than escapes, since bytes are counted as they arrive.',
      'Unknown fields in a command are refused; a client passes over fields and events that it does not know. A frame that is not a JSON object closes the connection.',
      '',
      'Entries of one conversation can arrive out of order, and live ones can be lost on the way. `seq` tells: it has no gaps. Wait a moment for a gap to close, then ask for the range with `history.page`.',
      'A message goes to all connections of all members, its sender included, except to the one connection that sent it: that one has the reply, which holds the same `seq` and `at`.',
    ].join('\n'),
    '## Large replies and slow lines',
    [
      `A reply has at most ${limits.replyBytesMax.toLocaleString('en')} bytes of JSON; only a single entry may be larger. \`history.page\` then says \`more\`, \`sync.resume\` says \`behind\` instead of replaying, or \`next\`. \`history.page\` and \`sync.resume\` of one connection are answered one after the other: the next one begins when the reply before has left the gateway. However many are asked for, one waits for the client.`,
      'A connection is not closed for a reply that it has asked for. It is closed with `slow_consumer` when the events that wait for it pass `sendQueueBytesMax`, or when it has taken nothing at all of what waits for it for 30 seconds by default. The close frame comes behind what was sent before it; a gateway that has no room left for what waits ends the connection without one, and the client sees 1006. After `slow_consumer`, and when a large reply does not come in time, ask for less: halve `bytesMax`, and send fewer commands at a time. What arrives earns it back.',
    ].join('\n\n'),
    '## Staying connected',
    [
      'A gateway closes a socket that it has heard nothing from for 2.4 times `pingIntervalMs` of `hello`, give or take four seconds: a minute by default. Any frame that arrives counts: a command, also one that is refused, or a WebSocket ping or pong. What the gateway itself sends does not count, and it sends no pings: a client that only listens is closed. It may come back at once, like after any loss of the network (close code 1006).',
      '',
      'So send a `ping` whenever nothing else was sent for `pingIntervalMs`. Its reply also shows that the gateway is there: without one within a few seconds the connection is dead, whatever the socket says. In `seen` it asks about conversations; the reply names those in which an entry was missed.',
    ].join('\n'),
    '## Commands',
    ...Object.keys(up).map(op => commandPaper(op as Op)),
    '## Delivery classes',
    'What becomes of an event that is lost on its way, or whose reader is slow.',
    table(
      ['class', 'what holds', 'events'],
      Object.entries(deliveryClasses).map(([name, meaning]) => [
        name,
        meaning,
        Object.values(down)
          .filter(declared => declared.delivery === name)
          .map(declared => `\`${declared.name}\``)
          .join(', '),
      ]),
    ),
    `After \`refresh\`, and after each \`hello\`, read the lists that signals tell of over REST. Read at most once in \`refreshPauseMs\` of \`hello\`. A node that names no \`refreshPauseMs\` is of an older version and says no \`refresh\`: take each \`sync.heads\` for one.`,
    '## Events',
    ...others.map(declared => eventPaper(declared, ['event'])),
    '## Entries',
    `The log of a conversation. They come live as events, in pages of history and in replays, always in the same form. Each has \`conversation\`, \`seq\`, \`epoch\`, \`at\`, and \`by\`: the person who did it. A client that does not know a kind moves its cursor and passes it over.`,
    ...Object.values(entries).map(declared => eventPaper(declared, place)),
    '## Shapes',
    ...Object.entries(shapes).map(([name, schema]) => shapePaper(name, schema)),
    '## Errors',
    'On the socket and over REST alike. The codes are stable; the message is for people.',
    table(
      ['code', 'HTTP', 'try again', 'meaning'],
      Object.entries(errors).map(([code, row]) => [`\`${code}\``, row.http, row.retry ? 'yes' : '', row.meaning]),
    ),
    '## Close codes',
    'The hundreds say what to do, also with codes that a client does not know: 40xx come back now, 41xx come back after `retryMs`, 42xx do not come back with this session or this build. Any other code: come back after a wait. The reason is JSON: `{"code": "<name>", "retryMs": <number>}`.',
    table(
      ['code', 'name', 'meaning'],
      Object.entries(closeCodes).map(([name, row]) => [row.code, `\`${name}\``, row.meaning]),
    ),
    'What breaks WebSocket itself (RFC 6455) ends the connection without a close frame, so that the client sees 1006: text that is no UTF-8, reserved bits and operations, control frames that are long or in pieces, a frame of more than twice the limit. uWebSockets.js, which speaks it here, says neither 1002 nor 1007 nor 1009. Nor does it tell a frame that is not masked from one that is: its first four bytes are taken for the mask, and what is left is refused as whatever it looks like. `Sec-WebSocket-Version` must be 13; anything else is answered with 426.',
    '## Limits',
    'Those of the wire itself. A length is counted in Unicode code points, as JSON Schema does: `👍🏽` has two. Bytes are those of UTF-8. Rates and queues are settings of the gateway (configuration.md). `limits` of `hello` names them all, with the values in force.',
    `By their rate commands count for what they cost the store: ${Object.entries(commandWeights)
      .map(([op, weight]) => `\`${op}\` for ${weight}`)
      .join(
        ', ',
      )}, all others for 1; and for one more with each ${namedPerToken} people or conversations that they name. Messages also count by the people whom they tell, and by their bytes: \`rate_limited\` and \`quota_exceeded\` say when to send one again. Receipts and typing beyond that are not told.`,
    table(
      ['limit', 'value', 'what it is'],
      Object.entries(limits).map(([name, value]) => [
        `\`${name}\``,
        value.toLocaleString('en'),
        limitSentences.get(name) ?? '',
      ]),
    ),
  ].join('\n\n')}\n`
}
