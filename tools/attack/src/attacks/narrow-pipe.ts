/** A page of long messages reaches people on a slow line, and is as large as the line can bear. */
import { randomUUID } from 'node:crypto'
import { createClient } from '@flotilla/sdk'
import { makeConversation, RequestError, startFaultProxy, until } from '@flotilla/testing'
import { setTimeout as pause } from 'node:timers/promises'
import { type Attack, atMost, check } from '../attack.ts'
import { cjk, replyBytesMax } from '../bodies.ts'
import type { Person, Stand } from '../stand.ts'

const line = { short: 400_000, long: 128_000 }

export const narrowPipe: Attack = {
  name: 'narrow-pipe',
  by: 'a member',
  tries: 'to write so many long messages that nobody on a slow line gets the page that holds them',
  async run(stand) {
    const [writer, reader] = (await stand.people(2)) as [Person, Person]
    const conversation = await makeConversation(stand.pool, [writer.user, reader.user], 'direct')
    const count = stand.size(20, 205)
    await write(stand, writer, conversation, count)

    const socket = await stand.socket(reader, 1)
    const page = await socket.request('history.page', { conversation, limit: 200 }, 60_000)
    const resumed = await socket.request('sync.resume', { cursors: [] }, 60_000)
    const rest = await stand.must(`GET /v1/conversations/${conversation}/messages?limit=200`, {
      token: reader.token(),
      from: reader.from,
    })
    const bytes = (value: unknown) => Buffer.byteLength(JSON.stringify(value))
    const got = await readThrough(stand, reader, count)
    return [
      atMost('a page of history', replyBytesMax, bytes(page), ' bytes'),
      atMost('an answer to a resume', replyBytesMax, bytes(resumed), ' bytes'),
      atMost('a page over REST', replyBytesMax, rest.bytes, ' bytes'),
      check('everything comes through a narrow pipe', got.messages >= count, `${got.messages} of ${count}`),
      atMost('connections that end meanwhile', 0, got.ends),
    ]
  },
}

/** Writes at whatever rate one may. */
async function write(stand: Stand, writer: Person, conversation: string, count: number): Promise<void> {
  const socket = await stand.socket(writer, 0)
  for (let nth = 0; nth < count; nth++) {
    const command = { conversation, clientId: randomUUID(), body: { text: cjk } }
    for (let tries = 0; ; tries++) {
      const refused = await socket.request('message.send', command, 30_000).then(
        () => undefined,
        (error: unknown) => error,
      )
      if (refused === undefined) break
      if (!(refused instanceof RequestError) || tries > 50) throw refused
      await pause(refused.body.retryMs ?? 500)
    }
  }
}

/** A new device with the SDK, behind a line of so many bytes a second. */
async function readThrough(stand: Stand, { user, session, token, from }: Person, count: number) {
  const target = { host: '127.0.0.1', port: Number(new URL(stand.gateways[0]!.directUrl).port) }
  const proxy = await startFaultProxy({ target })
  stand.afterwards(() => proxy.close())
  proxy.set({ bandwidthBytesPerSecond: stand.isLong ? line.long : line.short })
  const answer = { ticketExpiresInMs: 30_000, protocol: 1, epoch: 1 }
  const urls = [{ url: `ws://127.0.0.1:${proxy.port}/v1/socket`, region: 'local' }]
  const client = createClient({
    api: stand.api,
    history: 'all',
    getToken: () => Promise.resolve(token()),
    logger: { debug() {}, warn() {} },
    fetch: (input, init) => {
      if (input.endsWith('/v1/connect'))
        return Promise.resolve(Response.json({ ...answer, urls, ticket: stand.fleet.ticket(user, session) }))
      return fetch(input, { ...init, headers: { ...init?.headers, 'x-forwarded-for': from } })
    },
  })
  stand.afterwards(() => client.stop())
  let [messages, ends] = [0, 0]
  client.on('message', () => void messages++)
  client.on('state', state => {
    if (state.name === 'waiting') ends++
  })
  await client.start()
  const withinMs = stand.isLong ? 180_000 : 20_000
  await until(() => messages >= count, { what: 'everything arrives', withinMs, everyMs: 50 }).catch(() => {})
  return { messages, ends }
}
