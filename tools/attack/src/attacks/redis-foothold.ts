/** Redis is a hint: whoever reads and writes in it learns no body, names no gateway, and speaks for no node. */
import { textOf } from '@flotilla/protocol'
import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { makeConversation, type TestSocket, until } from '@flotilla/testing'
import { Redis } from 'ioredis'
import { type Attack, check, happens, none } from '../attack.ts'
import type { Person, Stand } from '../stand.ts'

const leases = 'flotilla:leases'
const evil = 'ws://evil.example/v1/socket'
/** Longer than a beat: by then every process has looked at the leases again. */
const beatMs = 4_000
const connects = 40

export const redisFoothold: Attack = {
  name: 'redis-foothold',
  by: 'somebody with a foot in Redis',
  tries: 'forged leases, forged, repeated and poisonous envelopes, and reading along at the inboxes',
  async run(stand) {
    const redis = new Redis(stand.redis.url)
    stand.afterwards(() => redis.disconnect())
    const [ann, bob] = (await stand.people(2)) as [Person, Person]
    const conversation = await makeConversation(stand.pool, [ann.user, bob.user], 'direct')
    const [annSocket, bobSocket] = [await stand.socket(ann, 0), await stand.socket(bob, 1)]
    const say = (text: string) =>
      annSocket.request('message.send', { conversation, clientId: randomUUID(), body: { text } }, 30_000)
    const { heard, end } = await tap(redis, stand)

    const forgedAt = Date.now()
    await forgeLeases(redis)
    await say('a secret')
    await hears(bobSocket, 'a secret')
    const malformedBefore = await malformed(stand)
    const forged = await forgeEnvelopes(redis, stand, { ann, bob, conversation, heard })
    const dropped = await happens(async () => (await malformed(stand)) - malformedBefore >= forged, {
      what: 'the forged envelopes are counted',
      withinMs: 5_000,
    })
    await say('after the poison')
    await hears(bobSocket, 'after the poison')
    // Every subscription is lost at once, and a message with it: nodes must still be able to heal.
    await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
    const { seq } = await say('while nobody listens')
    const healed = await happens(() => knows(bobSocket, conversation, seq), {
      what: 'the last message is heard of',
      withinMs: 30_000,
    })
    end()

    await pause(Math.max(0, forgedAt + beatMs - Date.now()))
    const named = await Promise.all(
      Array.from({ length: connects }, () => stand.must('GET /v1/connect', { token: ann.token(), from: ann.from })),
    )
    const told = named.filter(({ body }) => JSON.stringify(body).includes('evil'))
    const texts = textsOf(bobSocket)
    const twice = texts.filter((text, nth) => texts.indexOf(text) !== nth)
    return [
      none(`no gateway of theirs in ${connects} answers of GET /v1/connect`, told),
      none(
        'no forged message is delivered',
        texts.filter(text => text.includes('forged')),
      ),
      none('no envelope is taken twice', twice),
      check('what no node has sealed is dropped and counted', dropped, `${forged} envelopes`),
      check('a poisonous envelope stops no healing', healed, healed ? 'healed' : 'nothing in 30 s'),
      none(
        'no body on the inboxes',
        heard.filter(bytes => bytes.includes('secret') || bytes.includes('poison')).map(bytes => bytes.toString()),
      ),
      check('something was on them', heard.length > 0, `${heard.length} envelopes`),
    ]
  },
}

/** Everything that is published to the inboxes from now on. */
async function tap(redis: Redis, stand: Stand) {
  const heard: Buffer[] = []
  const ear = redis.duplicate()
  ear.on('error', () => {})
  await ear.subscribe(...stand.gateways.map(({ id }) => `flotilla:inbox:${id}`))
  ear.on('messageBuffer', (_channel, bytes: Buffer) => void heard.push(bytes))
  stand.afterwards(() => ear.disconnect())
  return { heard, end: () => ear.disconnect() }
}

async function forgeLeases(redis: Redis): Promise<void> {
  const now = Date.now()
  const info = JSON.stringify({ kind: 'gateway', url: evil, region: 'local', connections: 0, accepting: true })
  const own = Object.entries(await redis.hgetall(leases)).find(([place]) => place.startsWith('node-'))
  await redis.hset(leases, {
    [`evil:${now}`]: `live 0 ${now} ${info}`,
    'evil:1e300': `live 0 ${now} ${info}`,
    ...(own === undefined ? {} : { [`evil-thief:${now}`]: own[1], [own[0]]: `live 0 ${now} ${info}` }),
  })
}

/** @returns how many no node has sealed */
async function forgeEnvelopes(
  redis: Redis,
  stand: Stand,
  about: { ann: Person; bob: Person; conversation: string; heard: readonly Buffer[] },
): Promise<number> {
  const { ann, bob, conversation } = about
  const inbox = `flotilla:inbox:${stand.gateways[1]!.id}`
  const places = Object.keys(await redis.hgetall(leases))
  const [from, to] = stand.gateways.map(({ id }) => places.find(place => place.startsWith(`${id}:`)) ?? id)
  const frame = JSON.stringify({
    event: 'message.new',
    conversation,
    seq: 99,
    epoch: 1,
    at: Date.now(),
    by: ann.user,
    clientId: randomUUID(),
    body: { text: 'forged' },
  })
  const header = { v: 1, from, to, n: 99, items: [{ to: [bob.user] }] }
  const genuine = about.heard[0] ?? randomBytes(100)
  const broken = Buffer.concat([genuine.subarray(0, -1), Buffer.from([genuine.at(-1)! ^ 1])])
  const forged = [
    `${JSON.stringify(header)}\n${frame}`,
    JSON.stringify({ ...header, items: undefined, suspect: -1e300 }),
    JSON.stringify({ ...header, items: undefined, suspect: { [from!]: -1e300 } }),
    'no envelope at all',
    '',
    broken,
    randomBytes(400),
  ]
  for (const bytes of forged) await redis.publish(inbox, bytes)
  // What was genuine once, again and elsewhere. What is published is heard as well: not for ever.
  for (const bytes of about.heard.slice())
    for (const { id } of stand.gateways) await redis.publish(`flotilla:inbox:${id}`, bytes)
  return forged.length
}

const malformed = (stand: Stand) => stand.gateways[1]!.metric('flotilla_routing_malformed_total')

const textsOf = (socket: TestSocket) =>
  socket.received.flatMap(frame => ('event' in frame && frame.event === 'message.new' ? [textOf(frame.body)] : []))

/** It has come, or a node has told that it is there to be fetched. */
const knows = (socket: TestSocket, conversation: string, seq: number) =>
  socket.received.some(
    frame =>
      'event' in frame &&
      ((frame.event === 'message.new' && frame.seq === seq) ||
        (frame.event === 'sync.heads' &&
          frame.heads.some(one => one.conversation === conversation && one.head >= seq))),
  )

const hears = (socket: TestSocket, text: string) =>
  until(() => textsOf(socket).includes(text), { what: `"${text}" arrives` })
