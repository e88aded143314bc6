/** A master, its replica, and three sentinels that appoint another master within seconds. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { freePort, type StartedProcess, startProcess } from './processes.ts'
import { dropFolder, makeFolder } from './reaper.ts'
import { answers, type RedisServer, startRedis } from './redis.ts'
import { findRedis } from './redis-program.ts'
import { until } from './until.ts'

export interface RedisSentinels {
  /** `redis-sentinel://127.0.0.1:26001,…/flotilla` */
  readonly url: string
  readonly master: RedisServer
  readonly replica: RedisServer
  /** The port of the master, as the sentinels say. */
  masterPort(): Promise<number>
  stop(): Promise<void>
}

const name = 'flotilla'
const count = 3
const downAfterMs = 1_000

export async function startRedisSentinels(): Promise<RedisSentinels> {
  const program = await findRedis()
  if (program.kind === 'container')
    throw new Error('unable to start Redis Sentinel in containers: install redis-server or valkey-server')
  const master = await startRedis()
  const replica = await startRedis({
    args: ['--replicaof', '127.0.0.1', String(master.port), '--repl-diskless-sync-delay', '0'],
  })
  const folders: string[] = []
  const sentinels: { readonly process: StartedProcess; readonly port: number }[] = []
  for (let nth = 0; nth < count; nth++) {
    const port = await freePort()
    const folder = makeFolder('sentinel')
    folders.push(folder)
    const file = join(folder, 'sentinel.conf')
    const lines = [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${folder}`,
      `sentinel monitor ${name} 127.0.0.1 ${master.port} 2`,
      `sentinel down-after-milliseconds ${name} ${downAfterMs}`,
      `sentinel failover-timeout ${name} 5000`,
    ]
    writeFileSync(file, `${lines.join('\n')}\n`)
    const { command, env } = program
    const args = [file, '--sentinel']
    sentinels.push({
      port,
      process: await startProcess({ command, args, env, folder, ready: pid => answers(port, pid) }),
    })
  }
  const client = new Redis(`redis://127.0.0.1:${sentinels[0]!.port}`)
  client.on('error', () => {})
  const masterPort = async () => {
    const found = (await client.call('sentinel', 'get-master-addr-by-name', name)) as [string, string]
    return Number(found[1])
  }
  // Before it knows the others and the replica, none can appoint anybody.
  await until(
    async () => {
      const state = String(await client.call('sentinel', 'masters'))
      return state.includes(`num-other-sentinels,${count - 1}`) && state.includes('num-slaves,1')
    },
    { what: 'the sentinels know each other', withinMs: 30_000, everyMs: 50 },
  )
  return {
    url: `redis-sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${name}`,
    master,
    replica,
    masterPort,
    async stop() {
      client.disconnect()
      await Promise.all(sentinels.map(sentinel => sentinel.process.end('SIGKILL')))
      await Promise.all([master.stop(), replica.stop()])
      for (const folder of folders) dropFolder(folder)
    },
  }
}
