/** Flotilla: gateways on the migrated schema, people and conversations written by SQL, tickets signed by the load. */
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import { chatDefaults, createChat, createPool, createSealer, migrate } from '@flotilla/chat'
import { generateSecretKey, parseSecretKeys } from '@flotilla/service'
import { freePort, until } from '@flotilla/testing'
import { projectFolder } from '@flotilla/testing/load'
import type { Ground } from '../bed.ts'
import type { Ending } from '../load/window.ts'
import { type Filling, fillLog, untouched } from './filled.ts'
import { answers, type NodeProcess, startNode } from './node-process.ts'
import type { Population, Side, Stand, StandOptions } from './side.ts'

const masterKeys = generateSecretKey('bench')
const ticketKeys = generateSecretKey('bench')
/** Rates that no scenario reaches: what is measured is the path, not its limits. */
const unlimited = '1000000'
const boundless = '1000000000'
const loopback = '127.0.0.1'

/** @param fromSource whether the gateways run from their sources, without a build */
export function flotilla(fromSource: boolean): Side {
  return {
    name: 'Flotilla',
    async populate(ground, population) {
      await migrate(ground.databaseUrl)
      await populate(ground, population)
    },
    start: (ground, options) => start(ground, options, programOf(projectFolder, fromSource)),
    verify,
  }
}

/** Another checkout of the project, which runs from its sources. */
export function flotillaOf(folder: string, commit: string): Side {
  const program = programOf(folder, true)
  return {
    name: commit,
    async populate(ground, population) {
      const env = { ...process.env, DATABASE_URL: ground.databaseUrl, LOG_LEVEL: 'error' }
      execFileSync(process.execPath, ['--conditions=source', program('api', 'migrate').file], { env, cwd: folder })
      await populate(ground, population)
    },
    start: (ground, options) => start(ground, options, program),
    verify,
  }
}

type Program = (app: 'api' | 'gateway', name: string) => { readonly file: string; readonly fromSource: boolean }

const programOf =
  (root: string, fromSource: boolean): Program =>
  (app, name) => ({ file: join(root, 'apps', app, fromSource ? `src/${name}.ts` : `dist/${name}.js`), fromSource })

async function populate(ground: Ground, population: Population): Promise<void> {
  const { directs = 0, groups, past } = population
  const allDirects = directs + (past?.directs ?? 0)
  const people = Math.max(population.people, past === undefined ? 0 : 2 * allDirects)
  await ground.query(
    `INSERT INTO users (id, username, display_name)
     SELECT md5('user-' || n)::uuid, 'user-' || n, 'Person ' || n FROM generate_series(0, $1::int - 1) n`,
    [people],
  )
  await ground.query(
    `INSERT INTO sessions (id, user_id, device_name, expires_at)
     SELECT md5('session-' || n)::uuid, md5('user-' || n)::uuid, 'bench', now() + interval '1 day'
       FROM generate_series(0, $1::int - 1) n`,
    [people],
  )
  await ground.query(
    `INSERT INTO conversations (id, kind, member_count, direct_low, direct_high)
     SELECT md5('direct-' || n)::uuid, 1, 2, least(a, b), greatest(a, b)
       FROM generate_series(0, $1::int - 1) n,
            LATERAL (SELECT md5('user-' || 2 * n)::uuid AS a, md5('user-' || 2 * n + 1)::uuid AS b) pair`,
    [allDirects],
  )
  await ground.query(
    `INSERT INTO members (conversation_id, user_id, role, joined_seq)
     SELECT md5('direct-' || n / 2)::uuid, md5('user-' || n)::uuid, 1, 1 FROM generate_series(0, 2 * $1::int - 1) n`,
    [allDirects],
  )
  if (groups !== undefined) await makeGroups(ground, groups.count, groups.size)
  if (past !== undefined)
    await fillFlotilla(ground, {
      from: directs,
      conversations: past.directs,
      messagesEach: past.messagesEach,
      standing: () => untouched,
    })
}

/** A group past a size that the domain sets is routed by interest, once it has been so for a while. */
async function makeGroups(ground: Ground, count: number, size: number): Promise<void> {
  await ground.query(
    `INSERT INTO conversations (id, kind, name, member_count, large_since)
     SELECT md5('group-' || n)::uuid, 2, 'Group ' || n, $2::int,
            CASE WHEN $2::int > $3::int THEN now() - interval '1 hour' END
       FROM generate_series(0, $1::int - 1) n`,
    [count, size, chatDefaults.interestRoutingMin],
  )
  await ground.query(
    `INSERT INTO members (conversation_id, user_id, role, joined_seq)
     SELECT md5('group-' || n / $2::int)::uuid, md5('user-' || n)::uuid, CASE WHEN n % $2::int = 0 THEN 3 ELSE 1 END, 1
       FROM generate_series(0, $1::int * $2::int - 1) n`,
    [count, size],
  )
}

/** The password of everybody who has one. */
export const apiPassword = 'correct horse battery staple'

/** Gives everybody a password, at the cost that the domain hashes with. */
export async function populatePasswords(ground: Ground): Promise<void> {
  const pool = createPool({ url: ground.databaseUrl, connectionsMax: 3, logger: quiet, applicationName: 'bench' })
  const chat = await createChat({
    pool,
    masterKeys: parseSecretKeys(masterKeys),
    logger: quiet,
    emit: () => {},
    presumedAbsent: () => [],
  })
  const hash = await chat.passwords.hash(apiPassword)
  await ground.query('UPDATE users SET password_hash = $1', [hash])
  await chat.close()
  await pool.end()
}

/** Fills the log of conversations that are there. */
export async function fillFlotilla(ground: Ground, filling: Filling): Promise<void> {
  const pool = createPool({ url: ground.databaseUrl, connectionsMax: 1, logger: quiet, applicationName: 'bench' })
  await fillLog(ground, await createSealer(pool, parseSecretKeys(masterKeys)), filling)
  await pool.end()
}

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

/** One API beside the gateways, with limits that the load does not reach: it has one address for everybody. */
export async function startApi(
  ground: Ground,
  options: { readonly core: number; readonly fromSource: boolean },
): Promise<NodeProcess & { readonly url: string }> {
  const [port, operatorPort] = [await freePort(), await freePort()]
  const api = await startNode({
    name: 'api',
    ...programOf(projectFolder, options.fromSource)('api', 'main'),
    core: options.core,
    inspect: false,
    env: {
      HOST: loopback,
      PORT: String(port),
      OPERATOR_HOST: loopback,
      OPERATOR_PORT: String(operatorPort),
      NODE_ID: 'api-1',
      DATABASE_URL: ground.databaseUrl,
      REDIS_URL: ground.redisUrl,
      MASTER_KEYS: masterKeys,
      TICKET_KEYS: ticketKeys,
      REFRESH_KEYS: generateSecretKey('bench'),
      TOKEN_KEYS: JSON.stringify(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })),
      // In the folder of the process, which goes with it.
      STORAGE_FOLDER: 'files',
      LOG_LEVEL: 'warn',
      REQUESTS_MAX: unlimited,
      REQUESTS_PER_ADDRESS_MAX: unlimited,
      HTTP_CONNECTIONS_PER_ADDRESS_MAX: unlimited,
    },
    ready: () => answers(`http://${loopback}:${operatorPort}/readyz`),
  })
  return { ...api, url: `http://${loopback}:${port}` }
}

async function start(ground: Ground, options: StandOptions, program: Program): Promise<Stand> {
  const gateways = await Promise.all(
    Array.from({ length: options.nodes }, (_, at) => startGateway(ground, options, program, at + 1)),
  )
  return {
    fleet: { side: 'flotilla', nodes: gateways.map(({ port }) => ({ host: loopback, port })), ticketKeys },
    processes: gateways,
    async counters(names) {
      const pages = await Promise.all(gateways.map(gateway => readMetrics(gateway.operatorPort)))
      const sums = names.map(name => [name, pages.reduce((sum, page) => sum + counterOf(page, name), 0)] as const)
      return Object.fromEntries(sums)
    },
    async stop() {
      await Promise.all(gateways.map(gateway => gateway.stop()))
    },
  }
}

async function startGateway(
  ground: Ground,
  options: StandOptions,
  program: Program,
  number: number,
): Promise<NodeProcess & { readonly port: number; readonly operatorPort: number }> {
  const [port, operatorPort] = [await freePort(), await freePort()]
  const gateway = await startNode({
    name: options.nodes === 1 ? 'gateway' : `gateway ${number}`,
    ...program('gateway', 'main'),
    core: options.core,
    inspect: options.inspect === true,
    env: {
      HOST: loopback,
      PORT: String(port),
      OPERATOR_HOST: loopback,
      OPERATOR_PORT: String(operatorPort),
      NODE_ID: `node-${number}`,
      PUBLIC_URL: `ws://${loopback}:${port}/v1/socket`,
      DATABASE_URL: ground.databaseUrl,
      REDIS_URL: ground.redisUrl,
      MASTER_KEYS: masterKeys,
      TICKET_KEYS: ticketKeys,
      LOG_LEVEL: 'warn',
      // As many as the files of the process allow is the default already.
      CONNECTS_PER_SECOND: unlimited,
      CONNECTS_PER_PERSON_MAX: unlimited,
      CONNECTS_PER_ADDRESS_MAX: unlimited,
      SOCKETS_PER_ADDRESS_MAX: unlimited,
      MESSAGES_PER_SECOND: boundless,
      MESSAGES_BURST: boundless,
      FANOUT_PER_SECOND: boundless,
      FANOUT_BURST: boundless,
      STORED_BYTES_PER_DAY_MAX: '1000000000000',
      CONNECTIONS_PER_PERSON_MAX: unlimited,
      CONNECTIONS_PER_SESSION_MAX: unlimited,
      COMMANDS_PER_SECOND: unlimited,
      COMMANDS_BURST: unlimited,
      COMMANDS_IN_FLIGHT_MAX: unlimited,
      DRAIN_MS: '0',
      ...options.env,
    },
    ready: () => answers(`http://${loopback}:${operatorPort}/readyz`),
  })
  return { ...gateway, port, operatorPort }
}

async function readMetrics(port: number): Promise<string> {
  const response = await fetch(`http://${loopback}:${port}/metrics`)
  return response.text()
}

/** @throws Error when there is no counter of the name */
function counterOf(page: string, name: string): number {
  const line = new RegExp(`^flotilla_${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(page)
  if (line === null) throw new Error(`a gateway does not count ${name}`)
  return Number(line[1])
}

async function verify(ground: Ground, _stand: Stand, ending: Ending, told: boolean): Promise<string[]> {
  const problems: string[] = []
  const [stored] = await ground.query<{ rows: number }>('SELECT count(*)::int AS rows FROM messages')
  const { acked, past = 0 } = ending
  if (stored!.rows !== acked + past)
    problems.push(`${stored!.rows} rows are stored, ${past} of them before, ${acked} were acknowledged`)
  const [gaps] = await ground.query<{ count: number }>(
    `SELECT count(*)::int FROM conversations c
       LEFT JOIN (SELECT conversation_id, count(*) AS rows, max(seq) AS last FROM messages GROUP BY 1) m ON m.conversation_id = c.id
      WHERE c.head_seq <> coalesce(m.rows, 0) OR c.head_seq <> coalesce(m.last, 0)`,
  )
  if (gaps!.count > 0) problems.push(`${gaps!.count} conversations whose rows are not 1 to their head`)
  // Cursors are written behind.
  if (told)
    await until(async () => (await countUntold(ground)) === 0, {
      what: 'every delivered cursor is at its last message',
    })
  return problems
}

/** Members whose cursor does not cover the last message that somebody else wrote. */
async function countUntold(ground: Ground): Promise<number> {
  const [untold] = await ground.query<{ count: number }>(
    `SELECT count(*)::int FROM members m, LATERAL (
       SELECT max(seq) AS last FROM messages WHERE conversation_id = m.conversation_id AND sender_id <> m.user_id AND kind = 1
     ) other WHERE m.delivered_seq < other.last`,
  )
  return untold!.count
}
