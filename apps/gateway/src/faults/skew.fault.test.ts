/**
 * A whole roll-out and its way back, while a crowd talks: gateways of the version before and of this one side by side on
 * one PostgreSQL and one Redis. Half of the crowd has the SDK of the version before.
 */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createClient } from '@flotilla/sdk'
import {
  type Crowd,
  connectSocket,
  type FleetNode,
  isLong,
  makeConversation,
  makeSessions,
  makeUsers,
  type OldVersion,
  openOldVersion,
  projectRoot,
  type Stage,
  scale,
  setStage,
  until,
  versionBefore,
} from '@flotilla/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = projectRoot()
const opened = openOldVersion(root, versionBefore)
if (typeof opened === 'string') console.warn(`skipped: no version before this one to run beside it: ${opened}`)
const old = opened as OldVersion

let stage: Stage
let crowd: Crowd

beforeAll(async () => {
  if (typeof opened === 'string') return
  stage = await setStage({}, isLong ? 4 : 2, old.root)
  const sdk = (await import(/* @vite-ignore */ pathToFileURL(join(old.root, 'libs/sdk/src/index.ts')).href)) as {
    createClient: typeof createClient
  }
  crowd = await stage.crowd({
    cutsPerSecond: 0.02,
    clientOf: (nth, options) =>
      nth % 2 === 0 ? sdk.createClient(options) : createClient({ ...options, history: 'latest' }),
  })
})
afterAll(async () => {
  await stage?.tearDown()
  if (typeof opened !== 'string') opened.drop()
})

/** A message each way, and its receipt, on their own two sockets: live, not by way of a resume. */
async function talk(one: FleetNode, other: FleetNode): Promise<void> {
  const users = (await makeUsers(stage.pool, 2)) as [string, string]
  const sessions = await makeSessions(stage.pool, users)
  const conversation = await makeConversation(stage.pool, users, 'direct')
  const [a, b] = await Promise.all(
    [one, other].map((node, nth) =>
      connectSocket({ url: node.directUrl, ticket: stage.fleet.ticket(users[nth]!, sessions[nth]!), keep: true }),
    ),
  )
  try {
    for (const [sender, receiver] of [
      [a!, b!],
      [b!, a!],
    ] as const) {
      const message = { conversation, clientId: randomUUID(), body: { text: 'across versions' } }
      const { seq } = await sender.request('message.send', message)
      expect(await receiver.nextEvent('message.new')).toMatchObject({ ...message, seq })
      receiver.tell('message.delivered', { conversation, seq })
      await sender.nextEvent(event => event.event === 'message.delivered' && event.seq === seq)
    }
  } finally {
    await Promise.all([a!.close(), b!.close()])
  }
}

/** Counters may have got their ending since the version before. */
const count = async (node: FleetNode, name: string) => (await node.metric(name)) + (await node.metric(`${name}_total`))

/** Replaces one after the other, and looks at the mixture each time. */
async function roll(to: string): Promise<void> {
  const { nodes } = stage.fleet
  for (const [nth, node] of nodes.entries()) {
    expect(await node.drain()).toBe(0)
    await node.start(to)
    await talk(node, nodes[(nth + 1) % nodes.length]!)
    for (const one of nodes) expect(await count(one, 'flotilla_routing_malformed')).toBe(0)
  }
}

async function expectWhole(acknowledgedMin: number) {
  await until(() => crowd.acknowledged() > acknowledgedMin, { what: 'messages are acknowledged', withinMs: 60_000 })
  crowd.pause()
  await crowd.settle(60_000)
  expect(await crowd.check()).toEqual([])
  for (const node of stage.fleet.nodes) {
    expect(await count(node, 'flotilla_faults')).toBe(0)
    expect(await count(node, 'flotilla_routing_envelopes')).toBeGreaterThan(0)
  }
}

test.skipIf(typeof opened === 'string')(
  'from the version before to this one nothing is lost, and nothing on the way back',
  async () => {
    crowd.start()
    await roll(root)
    await expectWhole(scale.messagesPerSecond * 2)
    const acknowledged = crowd.acknowledged()
    crowd.start()
    await roll(old.root)
    await expectWhole(acknowledged + scale.messagesPerSecond * 2)
  },
)
