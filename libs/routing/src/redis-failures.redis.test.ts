/**
 * Every row of the table, from a real Redis; two that take a network or a cluster in motion are answered by a socket that
 * says just that.
 */
import { createServer } from 'node:net'
import { type RedisServer, startFaultProxy, startRedis, until } from '@flotilla/testing'
import { Redis } from 'ioredis'
import { afterEach, expect, test } from 'vitest'
import { type RedisFailure, redisFailureOf, redisFailures } from './redis-failures.ts'
import { connectRedis, type RedisLink } from './redis-link.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

/** As a link logs it. */
const told: string[] = []
const note = (fields: object, message: string) => {
  const { err, command, reason } = fields as { err?: Error; command?: string; reason?: string }
  told.push(`${message}: ${reason ?? ''} | ${err?.message ?? ''} | ${command ?? ''}`)
}
const logger = { debug() {}, info() {}, warn: note, error: note }

async function start(...args: string[]): Promise<RedisServer> {
  const server = await startRedis({ args })
  ends.push(() => server.stop())
  return server
}

/** Past the link, for what an operator does. */
function admin(server: RedisServer): Redis {
  const client = new Redis(server.url, { retryStrategy: null })
  client.on('error', () => {})
  ends.push(() => client.disconnect())
  return client
}

/** @param readyWaitMsMax less for what never becomes ready */
async function connect(url: string, readyWaitMsMax = 60_000): Promise<RedisLink> {
  told.length = 0
  const link = await connectRedis({ url, logger, readyWaitMsMax })
  ends.push(() => link.close())
  return link
}

/** What writes until it works, or until `when` holds. */
const write = (link: RedisLink) => link.command('set', 'flotilla:probe', 'x')
const refusal = async (link: RedisLink, what: () => Promise<unknown> = () => write(link)) => {
  let failed: unknown
  await until(
    async () => {
      failed = await what().catch((error: unknown) => error)
      return redisFailureOf(failed) !== undefined
    },
    { what: 'it refuses' },
  )
  return failed as Error
}
const heals = (link: RedisLink) =>
  until(async () => (await write(link).catch(() => undefined)) === 'OK', { what: 'it heals', withinMs: 15_000 })
const withLogin = (server: RedisServer, login: string) => server.url.replace('//', `//${login}@`)

/** Answers everything in the same way. */
async function scripted(answer: string): Promise<string> {
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.on('data', (bytes: Buffer) => {
      for (const _ of bytes.toString('latin1').matchAll(/\*\d+\r\n/g)) socket.write(`-${answer}\r\n`)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  ends.push(() => server.close())
  return `redis://127.0.0.1:${(server.address() as { port: number }).port}`
}

type Case = () => Promise<{ link: RedisLink; mend?: () => Promise<unknown>; error?: Error }>

const cases: Record<RedisFailure, Case> = {
  async readonly() {
    const [server, master] = [await start(), await start()]
    const link = await connect(server.url)
    await write(link)
    await admin(server).replicaof('127.0.0.1', master.port)
    return { link, error: await refusal(link), mend: () => admin(server).replicaof('NO', 'ONE') }
  },
  async masterdown() {
    const server = await start('--replica-serve-stale-data', 'no')
    const link = await connect(server.url)
    await admin(server).replicaof('127.0.0.1', 1)
    const error = await refusal(link, () => link.command('get', 'flotilla:probe'))
    return { link, error, mend: () => admin(server).replicaof('NO', 'ONE') }
  },
  async noreplicas() {
    const server = await start()
    const link = await connect(server.url)
    await admin(server).config('SET', 'min-replicas-to-write', '1')
    return { link, error: await refusal(link), mend: () => admin(server).config('SET', 'min-replicas-to-write', '0') }
  },
  async noauth() {
    const server = await start()
    const link = await connect(server.url)
    const client = admin(server)
    await client.config('SET', 'requirepass', 'secret')
    await client.call('client', 'kill', 'type', 'normal', 'skipme', 'yes')
    await until(() => Promise.resolve(told.some(line => line.includes('NOAUTH'))), { what: 'it is told' })
    return { link, mend: () => client.config('SET', 'requirepass', '') }
  },
  async loading() {
    const server = await start(
      // Twenty seconds in all, unless it is told to hurry.
      '--key-load-delay',
      '10000',
      '--loading-process-events-interval-bytes',
      '1024',
      '--enable-debug-command',
      'yes',
    )
    const [client, other] = [admin(server), admin(server)]
    await other.ping()
    const link = await connect(server.url)
    const many = Array.from({ length: 2_000 }, (_, i) => [`key-${i}`, 'x'.repeat(50)]).flat()
    await client.mset(...many)
    client.call('debug', 'reload').catch(() => {})
    return { link, error: await refusal(link), mend: () => other.config('SET', 'key-load-delay', '0') }
  },
  async busy() {
    const server = await start('--busy-reply-threshold', '20')
    const link = await connect(server.url)
    const killer = admin(server)
    await killer.ping()
    admin(server)
      .eval('while true do end', 0)
      .catch(() => {})
    return { link, error: await refusal(link), mend: () => killer.script('KILL') }
  },
  async tryagain() {
    return { link: await connect(await scripted('TRYAGAIN Multiple keys request during rehashing of slot'), 1_000) }
  },
  async clusterdown() {
    const server = await start('--cluster-enabled', 'yes', '--cluster-port', '0')
    return { link: await connect(server.url) }
  },
  async oom() {
    const server = await start('--maxmemory-policy', 'noeviction')
    const link = await connect(server.url)
    await admin(server).config('SET', 'maxmemory', '1')
    return { link, error: await refusal(link), mend: () => admin(server).config('SET', 'maxmemory', '0') }
  },
  async misconf() {
    const server = await start('--enable-protected-configs', 'yes')
    const link = await connect(server.url)
    const client = admin(server)
    await client.config('SET', 'dbfilename', 'd'.repeat(300))
    await client.config('SET', 'save', '1 1')
    await write(link)
    await client.bgsave().catch(() => {})
    return { link, error: await refusal(link), mend: () => client.config('SET', 'stop-writes-on-bgsave-error', 'no') }
  },
  async wrongpass() {
    const server = await start()
    const client = admin(server)
    await client.acl('SETUSER', 'chat', 'on', '>right', '~*', '&*', '+@all')
    const link = await connect(withLogin(server, 'chat:wrong'), 1_000)
    return { link, mend: () => client.acl('SETUSER', 'chat', '>wrong') }
  },
  async noperm() {
    const server = await start()
    const client = admin(server)
    await client.acl('SETUSER', 'chat', 'on', '>right', '~flotilla:*', '+@all', '-set')
    const link = await connect(withLogin(server, 'chat:right'))
    return { link, error: await refusal(link), mend: () => client.acl('SETUSER', 'chat', '+set') }
  },
  async denied() {
    return { link: await connect(await scripted('DENIED Redis is running in protected mode because'), 1_000) }
  },
}

test.each(Object.keys(redisFailures) as RedisFailure[])(
  '%s: told by name, counted, and over when it is mended',
  async failure => {
    const { link, error, mend } = await cases[failure]()
    if (error !== undefined) expect(redisFailureOf(error)).toBe(failure)
    else await write(link).catch(() => {})
    const { begins, meaning } = redisFailures[failure]
    await until(() => Promise.resolve(link.refusals[failure] > 0), { what: 'it is counted' })
    const lines = told.filter(line => line.startsWith(`redis refused a command: ${meaning} | `))
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain(begins.trim())
    if (failure === 'noperm') expect(lines[0]).toMatch(/\| set$/)
    if (mend === undefined) return
    await mend()
    await heals(link)
  },
)

test('a channel that may not be heard is named as well', async () => {
  const server = await start()
  await admin(server).acl('SETUSER', 'chat', 'on', '>right', '~*', '+@all', 'resetchannels')
  const link = await connect(withLogin(server, 'chat:right'))
  await expect(link.subscribe('inbox:a', () => {})).rejects.toThrow('NOPERM')
  expect(told.filter(line => /lacks a permission.*NOPERM.*channel.*\| subscribe$/.test(line))).toHaveLength(1)
})

test('what is the fault of the command is none of these', async () => {
  const link = await connect((await start()).url)
  await write(link)
  const error = await link.command('lpush', 'flotilla:probe', 'x').catch((failed: unknown) => failed)
  expect(String(error)).toContain('WRONGTYPE')
  expect(redisFailureOf(error)).toBeUndefined()
  expect(Object.values(link.refusals).every(count => count === 0)).toBe(true)
})

test('a connection to a master that was demoted is given up, and found again where the address leads', async () => {
  const [before, after] = [await start(), await start()]
  const target = { host: '127.0.0.1', port: before.port }
  const proxy = await startFaultProxy({ target })
  ends.push(() => proxy.close())
  const link = await connect(`redis://127.0.0.1:${proxy.port}`)
  await write(link)
  await admin(before).replicaof('127.0.0.1', after.port)
  target.port = after.port
  await heals(link)
  expect(await admin(after).get('flotilla:probe')).toBe('x')
  await until(() => proxy.connections().filter(connection => connection.open).length === 1, {
    what: 'the old connection is gone',
  })
})
