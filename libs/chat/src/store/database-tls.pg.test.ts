/** `sslmode` on a real PostgreSQL with TLS, and on one without: who gets through, and who must not. */
import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dropFolder, makeCertificate, makeFolder, type PostgresServer, startPostgres } from '@flotilla/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createPool } from './pool.ts'
import { openClient } from './store-client.ts'

let plain: PostgresServer
let secure: PostgresServer
const folder = makeFolder('tls')
const [server, stranger] = [makeCertificate(), makeCertificate()]
const file = (name: string, content: string) => {
  writeFileSync(join(folder, name), content, { mode: 0o600 })
  return join(folder, name)
}
const files = {
  certificate: file('server.pem', server.certificate),
  key: file('server.key', server.key),
  stranger: file('stranger.pem', stranger.certificate),
  strangerKey: file('stranger.key', stranger.key),
  // Without TLS nobody gets in; who is called `certified` shows a certificate too.
  rules: file(
    'hba',
    'hostssl all certified 127.0.0.1/32 trust clientcert=verify-ca\nhostssl all postgres 127.0.0.1/32 trust\n',
  ),
}

beforeAll(async () => {
  chmodSync(folder, 0o755)
  const user =
    process.getuid?.() === 0 ? Number(spawnSync('id', ['-u', 'postgres'], { encoding: 'utf8' }).stdout) : undefined
  if (user !== undefined) for (const path of Object.values(files)) chownSync(path, user, 0)
  const settings = {
    ssl: 'on',
    ssl_cert_file: files.certificate,
    ssl_key_file: files.key,
    ssl_ca_file: files.certificate,
    hba_file: files.rules,
  }
  ;[plain, secure] = await Promise.all([startPostgres(), startPostgres({ settings })])
  const client = await openClient(`${secure.url}?sslmode=require`, 'test')
  await client.query('CREATE ROLE certified LOGIN')
  await client.end()
})
afterAll(async () => {
  await Promise.all([plain.drop(), secure.drop()])
  dropFolder(folder)
})

/** The certificate is for 127.0.0.1, and not for this name of it. */
const byName = (url: string) => url.replace('127.0.0.1', 'localhost')

/** @returns whether the connection is encrypted, or why there is none */
async function connect(url: string): Promise<boolean | string> {
  try {
    const client = await openClient(url, 'test')
    const found = await client.query<{ ssl: boolean }>('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()')
    await client.end()
    return found.rows[0]!.ssl
  } catch (error) {
    return String(error)
  }
}

const verifying = (mode: string, authority = files.certificate) => `sslmode=${mode}&sslrootcert=${authority}`

test('on a server with TLS', async () => {
  expect(await connect(secure.url)).toMatch(/no pg_hba.conf entry .* no encryption/)
  expect(await connect(`${secure.url}?sslmode=disable`)).toMatch(/no encryption/)
  for (const mode of ['allow', 'prefer', 'require', 'require&sslnegotiation=direct'])
    expect(await connect(`${secure.url}?sslmode=${mode}`), mode).toBe(true)
  for (const mode of ['require', 'verify-ca', 'verify-full']) {
    expect(await connect(`${secure.url}?${verifying(mode)}`), mode).toBe(true)
    expect(await connect(`${secure.url}?${verifying(mode, files.stranger)}`), mode).toMatch(
      /self-signed certificate|unable to verify/,
    )
  }
  expect(await connect(byName(`${secure.url}?${verifying('verify-ca')}`))).toBe(true)
  expect(await connect(byName(`${secure.url}?${verifying('verify-full')}`))).toMatch(
    /does not match certificate's altnames/,
  )
  expect(await connect(`${secure.url}?sslmode=verify-full`)).toMatch(/self-signed certificate/)
  expect(await connect(`${secure.url}?sslmode=require&channel_binding=require`)).toMatch(/channel_binding=require/)
})

test('with a certificate of one’s own', async () => {
  const url = secure.url.replace('postgres@', 'certified@')
  expect(await connect(`${url}?sslmode=require`)).toMatch(/valid client certificate/)
  expect(await connect(`${url}?sslmode=require&sslcert=${files.certificate}&sslkey=${files.key}`)).toBe(true)
  expect(await connect(`${url}?sslmode=require&sslcert=${files.stranger}&sslkey=${files.strangerKey}`)).toMatch(/Error/)
})

test('on a server without TLS', async () => {
  for (const mode of ['disable', 'allow', 'prefer'])
    expect(await connect(`${plain.url}?sslmode=${mode}`), mode).toBe(false)
  for (const mode of ['require', 'verify-full'])
    expect(await connect(`${plain.url}?sslmode=${mode}`), mode).toMatch(/The server does not support SSL connections/)
})

test('a pool has it of all its connections', async () => {
  const logger = { debug() {}, info() {}, warn() {}, error() {} }
  const url = `${secure.url}?sslmode=prefer`
  const pool = createPool({ url, connectionsMax: 3, logger, applicationName: 'tls' })
  try {
    const asked = Array.from({ length: 3 }, () =>
      pool.query<{ ssl: boolean }>('SELECT ssl, pg_sleep($1) FROM pg_stat_ssl WHERE pid = pg_backend_pid()', [0.2]),
    )
    expect((await Promise.all(asked)).map(({ rows }) => rows[0]!.ssl)).toEqual([true, true, true])
  } finally {
    await pool.end()
  }
})
