/** What docker/compose.yaml promises, read from the file itself: it needs no engine. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { inProject } from '../root.ts'

interface Service {
  readonly image?: string
  readonly build?: { readonly context: string; readonly dockerfile: string; readonly target?: string }
  readonly command?: readonly string[]
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly security_opt?: readonly string[]
  readonly privileged?: boolean
  readonly container_name?: string
  readonly user?: string
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly networks?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly healthcheck?: object
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>> | readonly string[]
  readonly stop_grace_period?: string
  readonly logging?: { readonly options: Readonly<Record<string, string>> }
}

interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>
  readonly volumes: Readonly<Record<string, object>>
}

const text = readFileSync(inProject('docker/compose.yaml'), 'utf8')
const compose = parse(text, { merge: true }) as ComposeFile
const services = Object.entries(compose.services)
const service = (name: string): Service => {
  const one = compose.services[name]
  if (one === undefined) throw new Error(`unable to find the service ${name}`)
  return one
}
const dockerfile = readFileSync(inProject('docker/Dockerfile'), 'utf8')
const { version } = JSON.parse(readFileSync(inProject('package.json'), 'utf8')) as { version: string }

const argumentOf = (file: string, name: string) => new RegExp(`^ARG ${name}=(\\S+)$`, 'm').exec(file)?.[1] ?? ''

test.each(services)('%s may do nothing that it need not', (_, one) => {
  expect(one.read_only).toBe(true)
  expect(one.cap_drop).toEqual(['ALL'])
  expect(one.security_opt).toContain('no-new-privileges:true')
  expect(one.privileged ?? false).toBe(false)
  expect(one.container_name).toBeUndefined()
  expect(one.logging?.options['max-size']).toBeDefined()
})

test('only four doors are open, and only to this machine', () => {
  const open = services.flatMap(([name, one]) => (one.ports ?? []).map(port => `${name} ${port}`))
  expect(open).toEqual([
    'edge 127.0.0.1:${FLOTILLA_PORT:-8080}:8080',
    'mail 127.0.0.1:${MAIL_PORT:-8025}:8025',
    'prometheus 127.0.0.1:${PROMETHEUS_PORT:-9090}:9090',
    'grafana 127.0.0.1:${GRAFANA_PORT:-3000}:3000',
  ])
  expect(compose.networks['stores']?.internal).toBe(true)
  const near = services.filter(([, one]) => one.networks?.includes('stores')).map(([name]) => name)
  expect(near.sort()).toEqual(['api', 'gateway', 'migrate', 'postgresql', 'redis', 'worker'])
})

test('images of others are pinned to a version, and ours are those of this version', () => {
  for (const [, { image }] of services) {
    if (image?.startsWith('flotilla/') === true) expect(image).toMatch(`\${FLOTILLA_VERSION:-${version}}`)
    else expect(image).toMatch(/:v?\d+\.\d+(\.\d+)?(-\w+)?$/)
  }
  expect(dockerfile).toContain(`ARG VERSION=${version}\n`)
  for (const target of ['gateway', 'api', 'worker']) {
    expect(service(target).build?.target).toBe(target)
    expect(dockerfile).toMatch(new RegExp(`^FROM \\S+ AS ${target}$`, 'm'))
  }
})

test('the edge is built with the web client, by the Node that builds the others, and may leave it out', () => {
  const { build, environment } = service('edge')
  expect(build).toEqual({ context: '..', dockerfile: 'docker/edge/Dockerfile' })
  const edge = readFileSync(inProject('docker/edge/Dockerfile'), 'utf8')
  for (const argument of ['NODE_IMAGE', 'VERSION'])
    expect(argumentOf(edge, argument)).toBe(argumentOf(dockerfile, argument))
  expect(environment).toMatchObject({
    WEB: '${FLOTILLA_WEB:-}',
    WEB_CONNECTS_TO: 'ws://localhost:${FLOTILLA_PORT:-8080}',
  })
})

test('no key stands in the file: secrets come from files in volumes', () => {
  for (const [, { environment = {} }] of services)
    for (const [name, value] of Object.entries(environment))
      if (/KEYS|PASSWORD|SECRET|DATABASE_URL/.test(name)) {
        expect(name).toMatch(/_FILE$/)
        expect(value).toMatch(/^\//)
      }
  for (const name of ['keys', 'postgresql', 'files']) expect(compose.volumes).toHaveProperty(name)
})

test('whoever needs the database waits for the migration, and for no more than that migrates', () => {
  for (const name of ['gateway', 'api', 'worker']) {
    const { depends_on: needs, environment } = service(name)
    expect(needs).toMatchObject({
      migrate: { condition: 'service_completed_successfully' },
      redis: { condition: 'service_healthy' },
    })
    expect(environment?.['MIGRATE']).toBe('false')
  }
  expect(service('migrate').command).toEqual(['node', 'apps/api/dist/migrate.js'])
  // Without a name of its own a node has that of its container: any number of them can run.
  expect(service('gateway').environment).not.toHaveProperty('NODE_ID')
})

test('a stop leaves the time that a drain takes', () => {
  const seconds = (name: string) => Number(/^(\d+)s$/.exec(service(name).stop_grace_period ?? '')?.[1])
  expect(seconds('gateway')).toBeGreaterThan(Number(service('gateway').environment?.['DRAIN_MS']) / 1000 + 15)
  expect(seconds('api')).toBeGreaterThan(3 + 30 + 15)
  expect(seconds('worker')).toBeGreaterThan(20 + 30)
})

test('what is mounted exists, and Prometheus scrapes the ports that there are', () => {
  const mounted = services.flatMap(([, one]) => (one.volumes ?? []).filter(volume => volume.startsWith('.')))
  expect(mounted.length).toBeGreaterThan(4)
  for (const volume of mounted) {
    const [from = '', , mode] = volume.split(':')
    expect(mode, volume).toBe('ro')
    expect(existsSync(join(inProject('docker'), from)), `docker/${from}`).toBe(true)
  }
  const prometheus = parse(readFileSync(inProject('docker/compose/prometheus.yml'), 'utf8')) as {
    scrape_configs: { job_name: string; dns_sd_configs?: { names: string[]; port: number }[] }[]
  }
  const scraped = prometheus.scrape_configs.flatMap(({ job_name: job, dns_sd_configs: found = [] }) =>
    found.map(one => [job, one.names[0], one.port]),
  )
  expect(scraped).toEqual([
    ['flotilla-gateway', 'gateway', 9081],
    ['flotilla-api', 'api', 9080],
    ['flotilla-worker', 'worker', 9080],
    ['flotilla-edge', 'edge-exporter', 9113],
  ])
  const file = parse(readFileSync(inProject('docker/compose/grafana/datasources.yaml'), 'utf8')) as {
    datasources: { uid: string; url: string }[]
  }
  expect(file.datasources).toMatchObject([{ uid: 'prometheus', url: 'http://prometheus:9090' }])
})

test('the file at the root is the same fleet', () => {
  const root = parse(readFileSync(inProject('compose.yaml'), 'utf8')) as { name: string; include: string[] }
  expect(root).toEqual({ name: 'flotilla', include: ['docker/compose.yaml'] })
})
