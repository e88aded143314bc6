/** The AsyncAPI 3 document of the wire, made from the same schemas that check it. */
import { closeCodes } from './close-codes.ts'
import { down } from './down.ts'
import { ErrorSchema } from './down/error.ts'
import { errors } from './errors.ts'
import { up } from './up.ts'
import { protocolVersion } from './version.ts'

/** `message.send` → `messageSend`: AsyncAPI keys may not hold dots. */
const key = (name: string) => name.replace(/\.(\w)/g, (_, letter: string) => letter.toUpperCase())
const plain = (schema: object) => JSON.parse(JSON.stringify(schema)) as object

/** The whole document, ready to be serialised. */
export function asyncApiDocument() {
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
    add(name, { name: declared.op, title: declared.op, summary: declared.description, payload: plain(declared.schema) })
    add(`${name}Reply`, {
      name: `${declared.op} reply`,
      title: `Reply to ${declared.op}`,
      payload: {
        oneOf: [
          {
            type: 'object',
            required: ['id', 'ok'],
            properties: { id: { type: 'integer' }, ok: plain(declared.reply) },
          },
          { $ref: '#/components/schemas/ErrorReply' },
        ],
      },
    })
    operations[name] = {
      action: 'receive',
      channel: { $ref: '#/channels/socket' },
      summary: declared.description,
      messages: [address(name)],
      reply: { channel: { $ref: '#/channels/socket' }, messages: [address(`${name}Reply`)] },
    }
  }
  for (const declared of Object.values(down)) {
    const name = `${key(declared.name)}Event`
    add(name, {
      name: declared.name,
      title: declared.name,
      summary: declared.description,
      payload: plain(declared.schema),
    })
    operations[name] = {
      action: 'send',
      channel: { $ref: '#/channels/socket' },
      summary: declared.description,
      messages: [address(name)],
    }
  }
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Flotilla socket protocol',
      version: `${protocolVersion}.0.0`,
      license: { name: 'Apache-2.0' },
      description: [
        'JSON text frames over a WebSocket. A command carries an id and an op, its reply the same id; an event has no id.',
        '',
        '## Errors',
        ...Object.entries(errors).map(
          ([code, row]) => `- \`${code}\` (HTTP ${row.http}${row.retry ? ', retry' : ''}): ${row.meaning}`,
        ),
        '',
        '## Close codes',
        ...Object.entries(closeCodes).map(([name, row]) => `- \`${row.code}\` ${name}: ${row.meaning}`),
      ].join('\n'),
    },
    servers: {
      gateway: { host: 'localhost:8080', protocol: 'ws', description: 'A URL out of the answer of GET /v1/connect.' },
    },
    channels: {
      socket: {
        address: '/v1/socket',
        messages: channelMessages,
        bindings: {
          ws: {
            query: {
              type: 'object',
              required: ['ticket'],
              properties: {
                ticket: { type: 'string', description: 'The one-time ticket from GET /v1/connect.' },
                v: { type: 'integer', description: 'The version of the protocol that the client speaks.' },
              },
            },
          },
        },
      },
    },
    operations,
    components: {
      messages,
      schemas: {
        Error: plain(ErrorSchema),
        ErrorReply: {
          type: 'object',
          required: ['id', 'error'],
          properties: { id: { type: 'integer' }, error: { $ref: '#/components/schemas/Error' } },
        },
      },
    },
  }
}
