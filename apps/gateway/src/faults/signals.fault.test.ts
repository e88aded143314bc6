/**
 * Contacts, notifications and blocks that Redis lost on their way, on processes and with the real SDK: what the client has
 * made of its events is right again within seconds, on the connection that it has.
 */
import { type Client, type ClientEvents, createClient } from '@flotilla/sdk'
import { type ComposedStage, makeSessions, makeUsers, setComposedStage, until } from '@flotilla/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'

let stage: ComposedStage
const clients: Client[] = []

beforeAll(async () => {
  stage = await setComposedStage(new Set())
  return () => stage.tearDown()
})
afterAll(() => Promise.all(clients.map(client => client.stop())))

/** A client at one gateway, and what an application makes of its events alone. */
async function open(user: string, session: string, gateway: number) {
  const node = stage.fleet.nodes[gateway]!
  const client = createClient({
    api: stage.api.url,
    getToken: () => Promise.resolve(stage.token(user, session)),
    fetch: (url, init) =>
      url.endsWith('/v1/connect')
        ? Promise.resolve(
            Response.json({
              urls: [{ url: node.url, region: 'local' }],
              ticket: stage.fleet.ticket(user, session),
              ticketExpiresInMs: 30_000,
              protocol: 1,
              epoch: 1,
            }),
          )
        : fetch(url, init as RequestInit),
    WebSocket: WebSocket as never,
    logger: { debug() {}, warn() {} },
  })
  clients.push(client)
  const state = { requests: new Set<string>(), contacts: new Set<string>(), blocked: new Set<string>(), unread: 0 }
  let connections = 0
  const on = <N extends keyof ClientEvents>(name: N, hear: (event: ClientEvents[N]) => void) => client.on(name, hear)
  on('state', ({ name }) => void (name === 'live' && connections++))
  on('contact', change => {
    if (change.event === 'contact.requested') state.requests.add(change.request.id)
    else if (change.event === 'contact.removed') state.contacts.delete(change.user)
    else if (change.request !== undefined) state.requests.delete(change.request)
    if (change.event === 'contact.accepted') state.contacts.add(change.user.id)
  })
  on('block', ({ user: other, blocked }) => void state.blocked[blocked ? 'add' : 'delete'](other))
  on('notification', ({ unread }) => {
    state.unread = unread
  })
  await client.start()
  await until(() => client.state.name === 'live', { what: 'it is live', withinMs: 20_000 })
  return { client, state, connections: () => connections }
}

test('contacts, notifications and blocks that Redis lost are known within seconds, without a reconnect', async () => {
  const [ann, bob, eve] = (await makeUsers(stage.pool, 3)) as [string, string, string]
  const sessions = await makeSessions(stage.pool, [ann, bob, eve, ann])
  const device = await open(ann, sessions[0]!, 0)
  // Without listeners: what it asks for is answered, and its other device hears it.
  const other = await open(ann, sessions[3]!, 1)
  const { rest } = other.client
  const [ofBob, ofEve] = [await open(bob, sessions[1]!, 1), await open(eve, sessions[2]!, 1)]
  await ofEve.client.rest.contacts.request({ user: ann })
  await until(() => device.state.requests.size === 1 && device.state.unread === 1, { what: 'it hears Eve' })

  // The gateway hears nothing of Redis, and does not know yet.
  const { redis } = stage.links['node-1']
  redis.halfOpen(true, { direction: 'down' })
  const { request } = await ofBob.client.rest.contacts.request({ user: ann })
  await rest.blocks.block(eve)
  await until(() => other.state.blocked.has(eve) && other.state.requests.has(request!.id), { what: 'the other hears' })
  expect([device.state.blocked.size, device.state.requests.size]).toEqual([0, 1])
  redis.halfOpen(false, { direction: 'down' })
  redis.reset()
  await until(() => device.state.blocked.has(eve), { what: 'the block is known', withinMs: 30_000 })
  // Each is read by itself, in whatever order.
  await until(() => [...device.state.requests].join() === request!.id, {
    what: 'the request is known',
    withinMs: 30_000,
  })
  await until(() => device.state.unread === 1, { what: 'the notifications are known', withinMs: 30_000 })

  // All subscriptions are cut while more is done.
  await Promise.all([
    stage.commandRedis('CLIENT', 'KILL', 'TYPE', 'pubsub'),
    rest.contacts.accept(request!.id),
    rest.blocks.unblock(eve),
  ])
  for (const { state } of [device, other]) {
    await until(() => state.contacts.has(bob), { what: 'the contact is known', withinMs: 30_000 })
    await until(() => state.blocked.size === 0, { what: 'the end of the block is known', withinMs: 30_000 })
    await until(() => state.requests.size === 0, { what: 'no request is left', withinMs: 30_000 })
  }
  expect([device.connections(), other.connections()]).toEqual([1, 1])
})
