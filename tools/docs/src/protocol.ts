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
  ContactBody,
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
  LocationBody,
  MemberRef,
  PostedBody,
  PollBody,
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
  PostedBody,
  TextBody,
  LocationBody,
  ContactBody,
  PollBody,
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
  if (schema.type === 'number') return `number${range(schema.minimum, schema.maximum, '')}`
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

function commandSection(op: Op): string {
  const declared = up[op]
  const frame = JSON.stringify({ id: 1, op, ...commandExamples[op] })
  const decoded = decodeCommand(frame)
  if (isUndecodable(decoded)) throw new Error(`unable to write the protocol down: the example of ${op} is not valid`)
  const about = plain(declared.reply).description
  return [
    `### ${op}`,
    declared.description,
    declared.quiet ? 'The `id` is optional: without it, only failures are reported, by an `error` event.' : '',
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

const eventSection = ({ name, delivery, description, schema }: Declared, passOver: readonly string[]) =>
  [
    `### ${name}`,
    description,
    `Delivery class: [${delivery}](#delivery-classes).`,
    fields(schema, passOver, 'No fields of its own.'),
  ].join('\n\n')

function shapeSection(name: string, schema: object): string {
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
        ? 'The content of a message: a [PostedBody](#postedbody), or a type added by a later version, with `type`, its own fields and `fallback`. Show `fallback` if you do not know the type. [messages.md](messages.md) describes the types and the mark-up of text.'
        : name === 'Error'
          ? '`code` is one of [Errors](#errors); `field` and `rule` say what is invalid, `retryMs` when to retry.'
          : variants.length > 0
            ? ['The result for one conversation.', '', ...variants].join('\n')
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
    '*Generated by `npm run docs` from the schemas in libs/protocol. Machine-readable: [asyncapi.json](asyncapi.json). By feature: [messages.md](messages.md), [edits-and-deletions.md](edits-and-deletions.md), [groups.md](groups.md).*',
    `Version ${protocolVersion}; a node supports ${protocolVersionMin} to ${protocolVersion}.`,
    '## Opening a socket',
    [
      `Call \`GET /v1/connect\` with the access token. It returns ranked URLs and a ticket that is valid once, for 30 seconds. Open \`<url>?ticket=<ticket>&v=${protocolVersion}\`; the path is \`${address}\`. The first frame is the event \`hello\`: from then on events are delivered, and its limits and intervals apply. Commands sent before it are refused.`,
      'Then send `sync.resume` with the cursors of the device. Events are already delivered when the heads are read, so nothing falls in between.',
      `A device without cursors sends none, and the reply has every conversation of the user. It gets each from the first entry the user may see, in replays of up to ${limits.resumeEntriesMax.toLocaleString('en')} entries in total and in pages after that. With \`"start": "latest"\` it gets the last ${limits.resumeLatestMax} entries of each instead, with \`"start": "unread"\` those after the last read one; page older ones with \`history.page\` on demand. The seq before the first entry it gets is its cursor (the head, if a replay is empty), and nothing is missing from there on. A node that refuses \`start\` as unknown is older: ask without it.`,
      `A reply has at most ${limits.resumeConversationsMax.toLocaleString('en')} conversations that the command does not name, ordered by id. If it has \`next\`, ask again with that as \`after\`, and with the cursors of the ids beyond it.`,
      `A device with more than ${limits.resumeCursorsMax} cursors sorts them by id and sends several commands in sequence: each with the next ${limits.resumeCursorsMax} cursors, \`upto\` set to its last id (except in the last command) and \`after\` to the last id of the previous command. This way each reply also covers the conversations in between that the device does not know. Send cursors of another epoch in separate commands with \`"only": true\`. A node that refuses \`after\` or \`upto\` as unknown is older: send all but one of the commands with \`"only": true\` instead, and ignore what the reply to the other one says about conversations that another command has named.`,
    ].join('\n\n'),
    '## Frames',
    [
      'Frames are JSON objects in text frames. There are three kinds:',
      '- a **command** from the client: `{"id": 1, "op": "message.send", …}`. The client chooses the `id`. Commands can be pipelined, and replies may arrive in a different order.',
      '- a **reply**: `{"id": 1, "ok": {…}}` or `{"id": 1, "error": {"code": "…", "message": "…"}}`.',
      '- an **event**: `{"event": "message.new", …}`, without an id; do not reply.',
      '',
      'With `lines=1` in the query a frame from the node may hold several replies and events, one per line: whatever is due to the connection in one turn of the node’s loop, in order. Split each frame at `\\n`; no JSON of the node contains one. This saves both sides most of the cost of a busy group. Without it each frame holds one object.',
      '',
      'Text must be well-formed Unicode: unpaired surrogates and U+0000 are refused, even as escapes and in keys. Prefer characters to escapes, since bytes are counted as they arrive.',
      'Unknown fields in a command are refused. A client ignores fields and events that it does not know. A frame that is not a JSON object closes the connection.',
      '',
      'Entries of a conversation can arrive out of order, and live ones can be lost. `seq` has no gaps, so a client notices. Wait briefly for a gap to close, then fetch the range with `history.page`.',
      'A message goes to all connections of all members, including the sender’s, except the one that sent it: that one gets the same `seq` and `at` in the reply, and the entry itself if the command does not say all of it.',
    ].join('\n'),
    '## Reactions',
    [
      'Reactions always come whole: all emoji of a message with their counts (`counts`), and those of one user (`own`). Each has a `version`; keep the highest, whether it came in a page, an entry or an event. The `own` of an entry belongs to its `by`, that of a page to the reader. A message that loses its content loses its reactions. The author of a message gets a notification `reacted`, which gathers all who reacted to it.',
      'In a large conversation a reaction is stored and acknowledged at once, and announced later: the user’s other devices receive `reaction.stored`, all members `reaction.counted` within seconds. The reply then holds the head of the log.',
    ].join('\n\n'),
    '## Receipts in large conversations',
    'In a conversation of more than 100 members, receipts are not announced one by one. Those who wrote the last messages receive `receipts.counted` instead: how many others have received and read their last message, at most every few seconds (`RECEIPTS_GATHER_MS`). Members who hide their receipts are not counted.',
    '## Large replies and slow connections',
    [
      `A reply has at most ${limits.replyBytesMax.toLocaleString('en')} bytes of JSON, unless a single entry is larger. Beyond that, \`history.page\` returns \`more\`, and \`sync.resume\` returns \`behind\` instead of replaying, or \`next\`. \`history.page\` and \`sync.resume\` of one connection are processed one at a time: the next one starts once the previous reply has left the gateway.`,
      'A connection is never closed for a reply it asked for. It is closed with `slow_consumer` when its queued events exceed `sendQueueBytesMax`, or when it reads nothing of its queue for 30 seconds by default. The close frame follows what was sent before it; a gateway with no memory left ends the connection without one, and the client sees 1006. After `slow_consumer`, and when a large reply times out, ask for less: halve `bytesMax`, and send fewer commands at a time. Increase both again as replies arrive.',
    ].join('\n\n'),
    '## Staying connected',
    [
      'A gateway closes a socket that has been silent for 2.4 times `pingIntervalMs` of `hello`, give or take four seconds: a minute by default. Any incoming frame counts: a command, even a refused one, or a WebSocket ping or pong. What the gateway sends does not count, and it sends no pings: a client that only listens is closed. It can reconnect at once, as after any network failure (close code 1006).',
      '',
      'So send a `ping` whenever nothing else was sent for `pingIntervalMs`. If no reply comes within a few seconds, the connection is dead, whatever the socket says. `seen` asks about conversations; the reply has those in which an entry was missed.',
    ].join('\n'),
    '## Conversation settings of one user',
    'Muting, archiving, pinning, marking as unread, notification preferences and drafts are private. They make no entries and change no receipts. Change them over REST (`PATCH /v1/conversations/{id}/preferences`, `PUT /v1/conversations/{id}/draft`); the user’s other devices receive `conversation.settings_changed` and `draft.changed`. They end with the membership.',
    'Ignore a `conversation.settings_changed` whose `version` is not higher than the one you know. An archived conversation comes back with the next message that the user is notified of. No event announces that: reload an archived conversation when a message arrives in it.',
    '`GET /v1/unread` counts unread messages and mentions of the user in all conversations, and unread replies in the threads that the user follows. To keep the counts live, add each `message.new` of others, to `replies` if it is shown in a followed thread only, and reload when a message was edited or removed, or was read on another device, or on `thread.changed`. `mentionsAll` in a body mentions everyone.',
    'A mark as unread (`unreadFrom`) ends when the user reads on. A device that opens a marked conversation in which everything was read before has no receipt to send: remove the mark with `"unreadFrom": null`.',
    'The draft with the later `at` wins. Do not replace a draft while it is being edited. Empty a draft when a message of the user arrives with the same text.',
    '## Threads',
    [
      `A message sent with \`thread\`, the seq of another message, is a reply in the thread of that message, its root. It is an entry of the conversation like any other, with a seq and in history, and clients show it in the thread only; with \`alsoInConversation\`, in the conversation too. Threads do not nest: the root cannot be a reply itself.`,
      `A reply shown in the thread only is not counted in \`unread\` of the conversation. The author of the root and users who reply or are mentioned follow the thread automatically; others can follow it (\`PUT /v1/conversations/{id}/threads/{seq}/follow\`). Followers get a push and a notification of the kind \`thread_reply\`, also where they want those of mentions only, unless the conversation is muted or they want none of it; whoever is mentioned in the reply gets that of the mention. There is one notification for a thread, of the latest reply, and it is read with the thread. They have an unread count and read position of the thread in \`replies\` of the root. \`thread.changed\` reports both to the other devices of a user.`,
      `\`replies\` has the state as of its \`seq\`. Count replies with a higher seq on top of it, each once; \`fold\` of the SDK does. A removed reply does not count. A client that has not loaded a reply cannot tell that it was in a thread when it is removed: the count is exact again the next time the root is loaded. A removed root keeps its thread.`,
    ].join('\n\n'),
    '## Polls',
    [
      `A poll is a message with the body type \`poll\`. It cannot be edited. \`poll.vote\` chooses options by index and replaces an earlier vote; each \`poll.voted\` has the new totals, so the one with the highest seq wins.`,
      `In anonymous polls, and in polls of large conversations, a vote makes no entry. \`poll.counted\` has the new totals, at most one every few seconds, and \`poll.own_vote\` reports the vote to the other devices of the user. Read your own vote from \`poll.mine\` of the message.`,
      `A poll is closed by \`poll.close\` or at \`closesAt\` by the clock of the store; later votes are refused. Show a poll past \`closesAt\` as closed without waiting for \`poll.closed\`, which has the final totals: it follows within a few seconds, and only if anyone has voted.`,
    ].join('\n\n'),
    '## Commands',
    ...Object.keys(up).map(op => commandSection(op as Op)),
    '## Delivery classes',
    'What happens to an event that is lost, or whose reader is slow.',
    table(
      ['class', 'guarantee', 'events'],
      Object.entries(deliveryClasses).map(([name, meaning]) => [
        name,
        meaning,
        Object.values(down)
          .filter(declared => declared.delivery === name)
          .map(declared => `\`${declared.name}\``)
          .join(', '),
      ]),
    ),
    `After \`refresh\`, and after each \`hello\`, reload the state that signals report over REST, at most once per \`refreshPauseMs\` of \`hello\`. A node that sends no \`refreshPauseMs\` is older and sends no \`refresh\`: treat each \`sync.heads\` as one.`,
    '## Events',
    ...others.map(declared => eventSection(declared, ['event'])),
    '## Entries',
    `The log of a conversation. Entries arrive live as events, in pages of history and in replays, always in the same form. Each has \`conversation\`, \`seq\`, \`epoch\`, \`at\`, and \`by\`: the user who did it. A client that does not know a kind moves its cursor and skips the entry.`,
    ...Object.values(entries).map(declared => eventSection(declared, place)),
    '## Shapes',
    ...Object.entries(shapes).map(([name, schema]) => shapeSection(name, schema)),
    '## Errors',
    'The same on the socket and over REST. The codes are stable; the message is for people.',
    table(
      ['code', 'HTTP', 'retry', 'meaning'],
      Object.entries(errors).map(([code, row]) => [`\`${code}\``, row.http, row.retry ? 'yes' : '', row.meaning]),
    ),
    '## Close codes',
    'The range says what to do, even for unknown codes: 40xx reconnect now, 41xx reconnect after `retryMs`, 42xx do not reconnect with this session or build. For any other code, reconnect after a delay. The reason is JSON: `{"code": "<name>", "retryMs": <number>}`.',
    table(
      ['code', 'name', 'meaning'],
      Object.entries(closeCodes).map(([name, row]) => [row.code, `\`${name}\``, row.meaning]),
    ),
    'Violations of WebSocket itself (RFC 6455) end the connection without a close frame, so the client sees 1006: text that is not UTF-8, reserved bits and opcodes, long or fragmented control frames, a frame of more than twice the limit. uWebSockets.js sends neither 1002 nor 1007 nor 1009. Nor does it detect unmasked frames: it takes their first four bytes for the mask, and the rest is refused as whatever it looks like. `Sec-WebSocket-Version` must be 13; anything else is refused with 426.',
    '## Limits',
    'The limits of the protocol. Lengths are counted in Unicode code points, as in JSON Schema: `👍🏽` has two. Bytes are UTF-8. Rates and queues are settings of the gateway (configuration.md). `limits` of `hello` has all of them, with the values in force.',
    `Commands count toward the rate by their cost to the database: ${Object.entries(commandWeights)
      .map(([op, weight]) => `\`${op}\` for ${weight}`)
      .join(
        ', ',
      )}, all others for 1; and for one more per ${namedPerToken} users or conversations that they name. Messages also count by recipients and by bytes: \`rate_limited\` and \`quota_exceeded\` say when to retry. Receipts and typing beyond the rate are dropped.`,
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
