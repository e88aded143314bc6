/**
 * For the tests: an API without a process. It holds every answer against the schema that its route declares, and counts
 * which routes have been answered well, so that none is forgotten.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ChatContext, type ChatSettings, createChat, createPool, type Emission, type jobs } from '@flotilla/chat'
import { answerDescription } from '@flotilla/protocol/schemas'
import { openLocalStorage, type Storage } from '@flotilla/files'
import { createRegistry, generateSecretKey, parseSecretKeys, type Registry, silentLogger } from '@flotilla/service'
import type { FastifyInstance, InjectOptions } from 'fastify'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import type { ApiDeps } from './app.ts'
import { buildApp } from './build-app.ts'
import { apiDefaults, type ApiSettings } from './config.ts'
import { generateTokenKey, parseTokenKeys } from './sign-in/tokens.ts'

export interface Answer {
  readonly status: number
  /** The JSON, or the text where it is none. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of every shape
  readonly body: any
  readonly headers: Readonly<Record<string, unknown>>
  readonly cookies: readonly { name: string; value: string; [attribute: string]: unknown }[]
}

export interface CallOptions {
  readonly body?: unknown
  /** As it is, instead of `body`. */
  readonly raw?: string | Buffer
  readonly token?: string | undefined
  readonly headers?: Record<string, string>
  readonly cookies?: Record<string, string>
  readonly address?: string
}

export interface Person {
  readonly id: string
  readonly username: string
  readonly session: string
  readonly token: string
  readonly refreshToken: string
}

export const password = 'correct horse battery staple'

export interface Fixture {
  readonly app: FastifyInstance
  readonly registry: Registry
  readonly deps: ApiDeps
  /** `call('GET /v1/me', {token})` */
  readonly call: (request: string, options?: CallOptions) => Promise<Answer>
  /** Registers somebody and signs in. */
  readonly register: (username: string) => Promise<Person>
  /** The mails that wait for a worker, the oldest first. */
  readonly mails: () => Promise<QueuedMail[]>
  /** Answers that are not as their routes declare, and were not given to `call`. */
  readonly broken: () => string[]
  /** Routes that were never answered with success. */
  readonly unanswered: () => string[]
}

/** Gives somebody the second factor without which an operator is refused. */
export async function protect(chat: ChatContext, { id }: Pick<Person, 'id'>): Promise<void> {
  const text = "UPDATE users SET email = username || '@operators.example', mail_factor = true WHERE id = $1"
  await chat.pool.query(text, [id])
}

export interface QueuedMail {
  readonly to: string
  readonly mail: jobs.Mail
}

export interface TestChat {
  readonly chat: ChatContext
  /** What the verbs told the others, in order. */
  readonly emitted: Emission[]
  close(): Promise<void>
}

/** The domain on a migrated database, alone: nobody is connected. */
export async function openChat(url: string, settings: Partial<ChatSettings> = {}): Promise<TestChat> {
  const pool = createPool({ url, connectionsMax: 5, logger: silentLogger, applicationName: 'flotilla-api-test' })
  const emitted: Emission[] = []
  const chat = await createChat({
    pool,
    masterKeys: secretKeys(),
    // Who may write to whom is the subject of few tests.
    settings: { directFrom: 'anyone', ...settings },
    logger: silentLogger,
    presumedAbsent: users => users,
    emit: emission => void emitted.push(emission),
  })
  return {
    chat,
    emitted,
    async close() {
      await chat.close()
      await pool.end()
    },
  }
}

const secretKeys = () => parseSecretKeys(generateSecretKey('test'))

type Declared = TSchema & { content?: object; [answerDescription]?: string }

/** Routes that are no part of the contract: their answers are for eyes. */
const isDocs = (url: string) => url.startsWith('/docs')

export function createFixture(
  given: Partial<Omit<ApiDeps, 'settings'>> & { settings?: Partial<ApiSettings> } = {},
): Fixture {
  const registry = createRegistry({ process: 'test' })
  const deps: ApiDeps = {
    chat: {} as ApiDeps['chat'],
    node: { nodes: () => [], hit: async () => undefined },
    keys: { token: parseTokenKeys(generateTokenKey()), refresh: secretKeys(), ticket: secretKeys() },
    storage: temporaryStorage(),
    logger: silentLogger,
    registry,
    ready: () => undefined,
    random: Math.random,
    ...given,
    // The machine may be busy with other tests: none of them is about shedding, unless it says so.
    settings: { ...apiDefaults, cookieSecure: false, eventLoopDelayMsMax: 60_000, ...given.settings },
  }
  const app = buildApp(deps)
  app.addHook('onClose', async () => deps.storage.close())
  const faults: string[] = []
  const unanswered = new Set<string>()
  const checks = new WeakMap<object, ReturnType<typeof Compile>>()

  app.addHook('onRoute', route => {
    if (!isDocs(route.url) && route.method !== 'OPTIONS' && route.method !== 'HEAD')
      unanswered.add(`${String(route.method)} ${route.url}`)
  })
  app.addHook('onSend', async (request, reply, payload) => {
    const { url, schema } = request.routeOptions
    if (url === undefined || isDocs(url) || ['OPTIONS', 'HEAD'].includes(request.method)) return payload
    const status = reply.statusCode
    const label = `${request.method} ${url} ${status}`
    if (status < 400) unanswered.delete(`${request.method} ${url}`)
    const declared = (schema?.response as Record<number, Declared>)?.[status]
    if (declared === undefined) faults.push(`${label} is not declared`)
    else if (declared.content === undefined && status !== 204 && status !== 302) {
      const check = checks.get(declared) ?? Compile(declared)
      checks.set(declared, check)
      const body = JSON.parse(String(payload)) as { error?: { code: string } }
      if (!check.Check(body)) faults.push(`${label} breaks its schema: ${JSON.stringify(check.Errors(body)[0])}`)
      if (body.error !== undefined && !declared[answerDescription]?.includes(`\`${body.error.code}\``))
        faults.push(`${label} does not declare ${body.error.code}`)
    }
    return payload
  })

  const call: Fixture['call'] = async (request, options = {}) => {
    const [method, url] = request.split(' ') as [InjectOptions['method'], string]
    const payload = options.raw ?? (options.body === undefined ? undefined : JSON.stringify(options.body))
    const response = await app.inject({
      method: method ?? 'GET',
      url,
      headers: {
        ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
        ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
        ...options.headers,
      },
      ...(payload === undefined ? {} : { payload }),
      ...(options.cookies === undefined ? {} : { cookies: options.cookies }),
      ...(options.address === undefined ? {} : { remoteAddress: options.address }),
    })
    if (faults.length > 0) throw new Error(`the API breaks its own contract: ${faults.splice(0).join('; ')}`)
    const isJson = String(response.headers['content-type']).startsWith('application/json')
    const body: unknown = isJson && response.body !== '' ? response.json() : response.body
    return { status: response.statusCode, body, headers: response.headers, cookies: response.cookies }
  }
  return {
    app,
    registry,
    deps,
    call,
    async register(username) {
      const { status, body } = await call('POST /v1/users', { body: { username, password } })
      if (status !== 201) throw new Error(`unable to register ${username}: ${JSON.stringify(body)}`)
      const { user, session, accessToken: token, refreshToken } = body
      return { id: user.id, username, session, token, refreshToken }
    },
    mails: () => queuedMails(deps.chat),
    broken: () => [...new Set(faults)],
    unanswered: () => [...unanswered],
  }
}

/** A folder of its own, made when something is first stored. */
function temporaryStorage(): Storage {
  let folder: string | undefined
  let opened: Promise<Storage> | undefined
  const open = () => {
    folder ??= mkdtempSync(join(tmpdir(), 'flotilla-api-files-'))
    opened ??= openLocalStorage(folder)
    return opened
  }
  return {
    put: async (key, bytes, options) => (await open()).put(key, bytes, options),
    get: async key => (await open()).get(key),
    remove: async keys => (await open()).remove(keys),
    presignUpload: async (key, limits) => (await open()).presignUpload(key, limits),
    close() {
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Looks only: what is claimed would be hidden from the next look. */
async function queuedMails({ pool, seal }: ChatContext): Promise<QueuedMail[]> {
  const { rows } = await pool.query<{ id: string; key_id: number; body: Buffer }>(
    `SELECT id, key_id, body FROM jobs WHERE kind = 'mail' ORDER BY created_at`,
  )
  await seal.ready(rows.map(row => row.key_id))
  return rows.map(row => JSON.parse(seal.open(`job ${row.id}`, row.key_id, row.body)) as QueuedMail)
}
