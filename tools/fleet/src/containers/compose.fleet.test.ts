/**
 * The fleet of docker/compose.yaml, started by a real Docker engine: a message through the edge, more and fewer gateways
 * under it, a clean end. FLOTILLA_COMPOSE_OVERRIDE names a further compose file, for engines that cannot pull images.
 */
import { createServer } from 'node:net'
import { until } from '@flotilla/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { inProject } from '../root.ts'
import { runCommand } from './command.ts'
import { lacksCompose } from './engine.ts'
import { beginTalk, type Talk } from './talk.ts'

const lack = await lacksCompose()
if (lack !== undefined) process.stderr.write(`skipped: the fleet by compose; ${lack}\n`)

const project = `flotilla-test-${process.pid}`
const override = process.env['FLOTILLA_COMPOSE_OVERRIDE'] ?? ''
const buildMsMax = 1_500_000
let env: Record<string, string> = {}
let api = ''
let talk: Talk | undefined

function compose(args: readonly string[], withinMs = 240_000): Promise<string> {
  const files = ['compose.yaml', ...(override === '' ? [] : [override])]
  return runCommand('docker', ['compose', '--project-name', project, ...files.flatMap(file => ['-f', file]), ...args], {
    cwd: inProject(''),
    env,
    withinMs,
  })
}

interface Container {
  readonly Name: string
  readonly Service: string
  readonly State: string
  readonly Health: string
  readonly ExitCode: number
}

async function containers(service?: string): Promise<readonly Container[]> {
  const lines = await compose(['ps', '--all', '--format', 'json'])
  const all = lines.split('\n').flatMap(line => (line === '' ? [] : [JSON.parse(line) as Container]))
  return all.filter(one => service === undefined || one.Service === service)
}

/** Connections of each gateway, by the name of its container. */
async function connections(): Promise<Map<string, number>> {
  const script = `fetch('http://127.0.0.1:9081/metrics').then(r => r.text()).then(t => console.log(/^flotilla_connections{.*} (\\d+)$/m.exec(t)[1]))`
  const counts = new Map<string, number>()
  for (const { Name: name } of await containers('gateway'))
    counts.set(name, Number(await runCommand('docker', ['exec', name, 'node', '-e', script])))
  return counts
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map(server => new Promise(resolve => server.once('listening', resolve))))
  const ports = servers.map(server => (server.address() as { port: number }).port)
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
  return ports
}

describe.skipIf(lack !== undefined)('the fleet by compose', () => {
  beforeAll(async () => {
    const [edge, mail, prometheus, grafana] = (await freePorts(4)).map(String)
    env = { FLOTILLA_PORT: edge!, MAIL_PORT: mail!, PROMETHEUS_PORT: prometheus!, GRAFANA_PORT: grafana! }
    api = `http://localhost:${edge}`
    await compose(['build'], buildMsMax)
    await compose(['up', '--detach', '--no-build'], 300_000)
  }, buildMsMax + 300_000)

  afterAll(async () => {
    await talk?.stop()
    await compose(['down', '--volumes', '--timeout', '60'])
  }, 240_000)

  test('everything starts, is well, and what runs once has ended well', async () => {
    await until(
      async () => (await containers()).every(one => one.State === 'exited' || ['healthy', ''].includes(one.Health)),
      { what: 'all containers are healthy', withinMs: 120_000, everyMs: 1_000 },
    )
    const all = await containers()
    expect(all.filter(one => one.State === 'exited').map(one => [one.Service, one.ExitCode])).toEqual([
      ['keys', 0],
      ['migrate', 0],
    ])
    expect(all.filter(one => one.Service === 'gateway')).toHaveLength(2)
  })

  test('a message passes through the edge', async () => {
    talk = await beginTalk(api)
    await talk.send('hello')
    expect(talk.bob.texts).toEqual(['hello'])
    const docs = await fetch(`${api}/docs`)
    expect(docs.status).toBe(200)
  })

  test('Prometheus finds every gateway, and the rules of the chart are loaded', async () => {
    const ask = async (path: string) =>
      (await (await fetch(`http://127.0.0.1:${env['PROMETHEUS_PORT']}/api/v1/${path}`)).json()) as {
        data: { result: { value: [number, string] }[]; groups: object[] }
      }
    await until(
      async () => {
        const { data } = await ask(`query?query=${encodeURIComponent('count(up{job=~"flotilla-.*"} == 1)')}`)
        return Number(data.result[0]?.value[1]) === 5
      },
      { what: 'two gateways, the API, the worker and the edge are scraped', withinMs: 60_000, everyMs: 1_000 },
    )
    expect((await ask('rules')).data.groups.length).toBeGreaterThan(0)
  })

  test('four gateways share who comes, and two take all when two go', async () => {
    await compose(['up', '--detach', '--no-build', '--no-recreate', '--scale', 'gateway=4'])
    const sockets: Talk[] = []
    try {
      // The edge looks gateways up again every two seconds.
      await until(async () => (await containers('gateway')).every(one => one.Health === 'healthy'), {
        what: 'four gateways are healthy',
        withinMs: 60_000,
        everyMs: 1_000,
      })
      await until(
        async () => {
          if (sockets.length < 8) sockets.push(await beginTalk(api))
          const counts = await connections()
          return counts.size === 4 && [...counts.values()].every(count => count > 0)
        },
        { what: 'each of four gateways has connections', withinMs: 90_000, everyMs: 4_000 },
      )
      await compose(['up', '--detach', '--no-build', '--no-recreate', '--scale', 'gateway=2'])
      for (const [index, one] of [talk!, ...sockets].entries()) await one.send(`after two went ${index}`)
      expect((await connections()).size).toBe(2)
    } finally {
      await Promise.all(sockets.map(one => one.stop()))
    }
  }, 400_000)

  test('keys and data are kept when all is taken down, and every process ends with 0', async () => {
    await talk?.stop()
    await compose(['stop', '--timeout', '60'])
    const ended = await containers()
    expect(ended.filter(one => one.ExitCode !== 0).map(one => `${one.Service} ${one.ExitCode}`)).toEqual([])
    await compose(['up', '--detach', '--no-build'], 300_000)
    const logs = await compose(['logs', '--no-color', '--tail', '1', 'keys'])
    expect(logs).toContain('/keys has all keys')
    expect(await talk!.readBack()).toEqual(talk!.bob.texts)
  }, 400_000)
})
