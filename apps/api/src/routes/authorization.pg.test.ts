/**
 * Who may do what over REST: every route × everybody who can stand in some relation to the thing or the person that it
 * is about. The routes come from the app itself, so that a new one without its line here fails.
 */
import { randomUUID } from 'node:crypto'
import { rest, type Route } from '@flotilla/protocol/schemas'
import { type CastRole, castRoles, makeCast, type TestDatabase, testDatabase } from '@flotilla/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Api } from '../app.ts'
import { createFixture, type Fixture, openChat, type TestChat } from '../api.testbed.ts'
import { signAccessToken } from '../sign-in/tokens.ts'
import { type Line, matrix } from './authorization-matrix.testbed.ts'
import { aPasskey, type Scene } from './things-of-the-owner.testbed.ts'

let database: TestDatabase
let chat: TestChat
let api: Fixture
/** Empty but for those whom a test adds. */
const operatorIds: string[] = []

beforeAll(async () => {
  database = await testDatabase()
  // The group of the cast counts as large.
  chat = await openChat(database.url, { mentionAllFreeMax: 1 })
  // What counts by address would count the whole matrix as one caller.
  const many = { max: 1_000_000, windowMs: 60_000 }
  api = createFixture({
    chat: chat.chat,
    settings: {
      requestsMax: 1_000_000,
      signIns: many,
      registrations: many,
      codes: many,
      ceremonies: many,
      providerSignIns: many,
      gatewayUrls: [{ region: 'test', url: 'wss://chat.example.org/v1/socket' }],
      operators: operatorIds,
    },
  })
  await api.app.ready()
})
afterAll(async () => {
  await api.app.close()
  await chat.close()
  await database.drop()
})

const isLine = (entry: Line | Readonly<Record<string, Line>>): entry is Line => typeof entry['ask'] === 'function'
const lines = Object.entries(matrix).flatMap(([route, entry]) =>
  isLine(entry)
    ? [{ name: route, route, line: entry }]
    : Object.entries(entry).map(([about, line]) => ({ name: `${route} ${about}`, route, line })),
)

test('every route has its lines, and every line its route', () => {
  expect(Object.keys(matrix).sort()).toEqual(api.unanswered().sort())
})

const makeScene = async (): Promise<Scene> => ({ ...(await makeCast(chat.chat.pool)), chat: chat.chat })

async function outcomeFor(role: CastRole, { route, line }: { route: string; line: Line }): Promise<string> {
  const scene = await makeScene()
  const { url, ...options } = await line.ask(scene, role)
  const token = role === 'nobody' ? undefined : tokenOf(scene.people[role])
  const answer = await api.call(`${route.split(' ')[0]} ${url}`, { token, ...options })
  return answer.status < 400 ? 'ok' : (answer.body.error?.code ?? `status ${answer.status}`)
}

const tokenOf = (caller: { user: string; session: string }) =>
  signAccessToken(api.app as unknown as Api, caller, Date.now())

test.each(lines)('$name', async one => {
  const answered = await Promise.all(castRoles.map(async role => [role, await outcomeFor(role, one)]))
  expect(Object.fromEntries(answered)).toEqual(one.line.outcome)
})

const declared = new Map<string, Route>(
  Object.values(rest)
    .flatMap(feature => Object.values(feature) as Route[])
    .map(route => [route.at.replaceAll(/\{(\w+)\}/g, ':$1'), route]),
)

/** Those that require it in some cases only name the refusal themselves; tests of their own say in which. */
const mayRequireIt = ({ refusals = [] }: Route) => refusals.includes('reauthentication_required')
const requiresIt = ({ needs }: Route) => needs === 'reauthentication' || needs === 'operator'

test.each(lines.filter(({ route }) => !mayRequireIt(declared.get(route)!)))(
  '$name: reauthentication is required of a stale session where the route declares it, and nowhere else',
  async ({ route, line }) => {
    const { needs } = declared.get(route)!
    const scene = await makeScene()
    const { owner } = scene.people
    const { url, ...options } = await line.ask(scene, 'owner')
    // Whoever has nothing to sign in with cannot be asked for it, and operators need more than a password.
    await aPasskey(scene)
    if (needs === 'operator') operatorIds.push(owner.user)
    await scene.chat.pool.query(`UPDATE sessions SET proved_at = now() - interval '1 hour' WHERE id = $1`, [
      owner.session,
    ])
    const token = tokenOf(owner)
    const { body } = await api.call(`${route.split(' ')[0]} ${url}`, { token, ...options })
    expect(body?.error?.code === 'reauthentication_required', `${body?.error?.code}`).toBe(
      requiresIt(declared.get(route)!),
    )
  },
)

/** The routes that take JSON, with the fields of their bodies. */
function bodies(): { readonly route: string; readonly url: string; readonly fields: readonly string[] }[] {
  const { paths } = api.app.swagger() as unknown as { paths: Record<string, Record<string, Operation>> }
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, { requestBody }]) => {
      const schema = requestBody?.content['application/json']?.schema
      if (schema === undefined) return []
      const kinds = schema.anyOf ?? [schema]
      const fields = [...new Set(kinds.flatMap(kind => Object.keys(kind.properties ?? {})))]
      const route = `${method.toUpperCase()} ${path}`
      return { route, url: route.replaceAll(/\{\w+\}/g, randomUUID()), fields }
    }),
  )
}

interface BodySchema {
  readonly properties?: object
  readonly anyOf?: readonly BodySchema[]
}
interface Operation {
  readonly requestBody?: { readonly content: Record<string, { readonly schema: BodySchema }> }
}

test('null, and whatever is nested without end, is refused as a fault of the caller on every route', async () => {
  const { people } = await makeScene()
  const token = tokenOf(people.owner)
  const deep = 5_000
  const nested = [`${'['.repeat(deep)}${']'.repeat(deep)}`, `${'{"a":'.repeat(deep)}1${'}'.repeat(deep)}`]
  expect(bodies().length).toBeGreaterThan(30)
  for (const { route, url, fields } of bodies()) {
    const raws = ['null', ...nested, ...fields.flatMap(field => nested.map(value => `{"${field}":${value}}`))]
    for (const raw of raws) {
      const { status } = await api.call(url, { token, raw })
      expect(status, `${route} ${raw.slice(0, 40)}`).toBeGreaterThanOrEqual(400)
      expect(status, `${route} ${raw.slice(0, 40)}`).toBeLessThan(500)
    }
  }
})

test('data of a message is refused by its depth, however deep', async () => {
  const { people, group } = await makeScene()
  for (const deep of [9, 100, 5_000]) {
    const raw = `{"clientId":"${randomUUID()}","body":{"text":"x","data":${'{"a":'.repeat(deep)}1${'}'.repeat(deep)}}}`
    const answer = await api.call(`POST /v1/conversations/${group}/messages`, { token: tokenOf(people.owner), raw })
    expect([answer.status, answer.body.error.code]).toEqual([400, 'data_too_deep'])
  }
})
