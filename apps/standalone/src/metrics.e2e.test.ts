/** What the processes export is what docs/metrics.md says, in both directions, and Prometheus has nothing to say to it. */
import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { apiMetrics } from '@flotilla/api'
import { gatewayMetrics } from '@flotilla/gateway'
import { type Catalogue, processMetrics } from '@flotilla/service'
import { connectSocket, until } from '@flotilla/testing'
import { workerMetrics } from '@flotilla/worker'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Part, parts, type Processes, startProcesses } from './processes.testbed.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })
const catalogues: Readonly<Record<Part, Catalogue>> = {
  gateway: { ...processMetrics, ...gatewayMetrics },
  api: { ...processMetrics, ...apiMetrics },
  worker: { ...processMetrics, ...workerMetrics },
}
let fleet: Processes

interface Exported {
  readonly type: string
  readonly help: string
  readonly series: { readonly name: string; readonly labels: Record<string, string>; readonly value: number }[]
}

/** The metrics of a scrape by name. */
function read(text: string): Map<string, Exported> {
  const found = new Map<string, Exported>()
  const helps = new Map<string, string>()
  let last: Exported | undefined
  for (const line of text.split('\n')) {
    const [, what, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? []
    if (what === 'HELP') helps.set(name, rest)
    if (what === 'TYPE') found.set(name, (last = { type: rest, help: helps.get(name) ?? '', series: [] }))
    const [, series = '', , labels = '', value] = /^([a-z_0-9]+)(\{(.*)\})? (\S+)$/.exec(line) ?? []
    if (value === undefined) continue
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label, text_]) => [label, text_])
    last?.series.push({ name: series, labels: Object.fromEntries(pairs), value: Number(value) })
  }
  return found
}

async function call(method: string, path: string, token?: string, body?: object) {
  const response = await fetch(fleet.url + path, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: JSON.parse((await response.text()) || 'null') }
}

const password = 'correct horse battery staple'
const register = async (username: string) => (await call('POST', '/v1/users', undefined, { username, password })).body

/** Something of everything: who signs in and who cannot, who is heard, who leaves and who is lost. */
async function live(): Promise<void> {
  const [alice, bob] = [await register('alice'), await register('bob')]
  await register('bob')
  await call('POST', '/v1/sessions', undefined, { username: 'bob', password })
  await call('POST', '/v1/sessions', undefined, { username: 'bob', password: 'a wrong password' })
  await call('GET', '/v1/no/such/route')
  const open = async (token: string) => {
    const { urls, ticket } = await until(
      async () => {
        const answer = await call('GET', '/v1/connect', token)
        return answer.status === 200 && answer.body
      },
      { what: 'the gateway is seen' },
    )
    return { url: urls[0].url as string, ticket: ticket as string }
  }
  const a = await connectSocket(await open(alice.accessToken))
  const forBob = await open(bob.accessToken)
  const b = await connectSocket(forBob)
  await expect(connectSocket(forBob)).rejects.toThrow('ticket_used')
  const direct = await call('POST', '/v1/conversations', alice.accessToken, { kind: 'direct', user: bob.user.id })
  const send = () =>
    a.request('message.send', { conversation: direct.body.id, clientId: randomUUID(), body: { text: 'Ahoy' } })
  // Its way through Redis may be the longer one, and counts only while somebody is here.
  for (const socket of [a, b]) await socket.nextEvent('conversation.created')
  await send()
  await b.nextEvent('message.new')
  await b.close()
  await send()
  await expect(a.request('message.delivered', { conversation: randomUUID(), seq: 1 })).rejects.toThrow()
  await a.terminate()
}

beforeAll(async () => {
  fleet = await startProcesses()
  await live()
})
afterAll(() => fleet?.stop())

/** Where the last of it was counted. */
const settled = (part: Part, metric: string, label: string) =>
  until(
    async () => {
      const exported = read(await fleet.metrics(part))
      const series = exported.get(metric)?.series.filter(({ labels }) => Object.values(labels).includes(label))
      return series?.some(({ value }) => value > 0) === true && exported
    },
    { what: `${metric} of ${label}` },
  )

test.each(parts)('%s exports its catalogue: no more, no less, with the labels that it says', async part => {
  if (part === 'gateway') await settled(part, 'flotilla_disconnects_total', 'lost')
  const catalogue = catalogues[part]
  const exported = read(await fleet.metrics(part))
  const own = [...exported.keys()].filter(name => !/^(process|nodejs)_/.test(name))
  expect(own.toSorted()).toEqual(Object.keys(catalogue).toSorted())
  const strangers: string[] = []
  for (const [name, { type, help, labels }] of Object.entries(catalogue)) {
    const found = exported.get(name)!
    expect([name, found.type, found.help]).toEqual([name, type, help.replaceAll('\\', '\\\\')])
    expect([name, found.series.length > 0]).toEqual([name, true])
    for (const series of found.series) {
      const { node, region, le, ...rest } = series.labels
      expect([node, region === 'here']).toEqual([`${part}-1`, true])
      expect([name, le !== undefined]).toEqual([name, series.name.endsWith('_bucket')])
      const declared = Object.keys(labels).filter(label => label !== 'region')
      expect([name, Object.keys(rest).toSorted()]).toEqual([name, declared.toSorted()])
      for (const [label, value] of Object.entries(rest)) {
        const values = labels[label]!
        if (typeof values !== 'string' && !values.includes(value)) strangers.push(`${name} ${label}=${value}`)
      }
    }
  }
  expect(strangers).toEqual([])
})

test('what happened is what is counted', async () => {
  const gateway = await settled('gateway', 'flotilla_disconnects_total', 'lost')
  const of = (exported: Map<string, Exported>, name: string, labels: Record<string, string> = {}) =>
    [...exported.values()]
      .flatMap(({ series }) => series)
      .filter(one => one.name === name && Object.entries(labels).every(([label, value]) => one.labels[label] === value))
      .reduce((sum, { value }) => sum + value, 0)
  expect(of(gateway, 'flotilla_connects_total')).toBe(2)
  expect(of(gateway, 'flotilla_connections')).toBe(0)
  expect(of(gateway, 'flotilla_connects_refused_total', { reason: 'ticket_used' })).toBe(1)
  const closed = ['client', 'lost', 'ticket_used'].map(code => of(gateway, 'flotilla_disconnects_total', { code }))
  expect([...closed, of(gateway, 'flotilla_disconnects_total')]).toEqual([1, 1, 1, 3])
  expect(of(gateway, 'flotilla_messages_total')).toBe(2)
  expect(of(gateway, 'flotilla_frames_received_total')).toBe(3)
  // Two hellos, the conversation to both, a message to one, three replies; and what the pulse may have told again.
  expect(of(gateway, 'flotilla_frames_sent_total')).toBeGreaterThanOrEqual(8)
  // The message, and the conversation by the API: its way through Redis is measured too.
  expect(of(gateway, 'flotilla_delivery_seconds_count')).toBe(2)
  expect(of(gateway, 'flotilla_delivery_seconds_sum')).toBeLessThan(20)
  expect(of(gateway, 'flotilla_commit_batch_entries_sum')).toBe(2)
  expect(of(gateway, 'flotilla_commit_seconds_count')).toBe(2)
  expect(of(gateway, 'flotilla_commit_seconds_sum')).toBeGreaterThan(0)
  expect(of(gateway, 'flotilla_command_seconds_count', { op: 'message.send' })).toBe(2)
  expect(of(gateway, 'flotilla_commands_total', { op: 'message.delivered', outcome: 'ok' })).toBe(0)
  expect(of(gateway, 'flotilla_fleet_connections_mean')).toBeLessThanOrEqual(2)
  for (const name of ['flotilla_store_up', 'flotilla_routing_up']) expect([name, of(gateway, name)]).toEqual([name, 1])
  expect(of(gateway, 'flotilla_postgres_connections')).toBeGreaterThan(0)
  expect(of(gateway, 'flotilla_postgres_connections_max')).toBeGreaterThan(1)

  const api = read(await fleet.metrics('api'))
  expect(of(api, 'flotilla_registrations_total', { outcome: 'done' })).toBe(2)
  expect(of(api, 'flotilla_registrations_total', { outcome: 'refused' })).toBe(1)
  expect(of(api, 'flotilla_sign_ins_total', { method: 'password', outcome: 'done' })).toBe(1)
  expect(of(api, 'flotilla_sign_ins_total', { method: 'password', outcome: 'refused' })).toBe(1)
  expect(of(api, 'flotilla_sign_ins_total')).toBe(2)
  expect(of(api, 'flotilla_connect_answers_total', { region: 'here' })).toBe(2)

  // What bob missed is owed to him.
  await settled('worker', 'flotilla_offline_messages', 'here')
})

const hasPromtool = spawnSync('promtool', ['--version']).status === 0
if (!hasPromtool)
  console.warn("promtool is missing: what the processes export is not checked by it. Debian has it in 'prometheus'")

test.skipIf(!hasPromtool).each(parts)('promtool finds no fault with what %s exports', async part => {
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: await fleet.metrics(part) })
  expect(String(stdout) + String(stderr)).toBe('')
  expect(status).toBe(0)
})
