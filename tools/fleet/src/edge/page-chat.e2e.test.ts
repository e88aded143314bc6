/** Two people in two browsers, on the page as the edge serves it, before a real API and three real gateways. */
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import { generateSecretKey } from '@flotilla/service'
import {
  dropFolder,
  findChromium,
  type Fleet,
  freePort,
  makeFolder,
  openBrowser,
  type RedisServer,
  type StartedProcess,
  startFleet,
  startProcess,
  startRedis,
  type TestDatabase,
  testDatabase,
  until,
} from '@flotilla/testing'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Edge, startEdge } from '../nginx.ts'
import { inProject } from '../root.ts'
import { nginxOrSkip } from './edge.testbed.ts'

const nginx = await nginxOrSkip()
const chromium = findChromium()
const password = 'a long enough phrase'
const buildMsMax = 180_000
const actionMs = 30_000

describe.skipIf(nginx === undefined || chromium === undefined)('the page before a fleet', () => {
  const folder = makeFolder('page-chat')
  const complaints: string[] = []
  let database: TestDatabase
  let redis: RedisServer
  let fleet: Fleet
  let api: StartedProcess
  let edge: Edge
  let browser: Browser
  let url = ''

  beforeAll(async () => {
    ;[database, redis, browser] = await Promise.all([testDatabase(), startRedis(), openBrowser(chromium!)])
    const [port, apiPort, operatorPort] = [await freePort(), await freePort(), await freePort()]
    url = `http://localhost:${port}`
    const settings = { PUBLIC_URL: `ws://localhost:${port}/v1/socket` }
    fleet = await startFleet({ gateways: 3, databaseUrl: database.url, redisUrl: redis.url, settings })
    api = await startProcess({
      command: process.execPath,
      args: ['--conditions=source', inProject('apps/api/src/main.ts')],
      folder,
      env: {
        HOST: '127.0.0.1',
        PORT: String(apiPort),
        OPERATOR_HOST: '127.0.0.1',
        OPERATOR_PORT: String(operatorPort),
        NODE_ID: 'api',
        DATABASE_URL: database.url,
        REDIS_URL: redis.url,
        MASTER_KEYS: fleet.masterKeys,
        TICKET_KEYS: fleet.ticketKeys,
        REFRESH_KEYS: generateSecretKey('refresh'),
        TOKEN_KEYS: JSON.stringify(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })),
        STORAGE_FOLDER: join(folder, 'files'),
        PUBLIC_URL: url,
        COOKIE_SECURE: 'false',
        TRUSTED_PROXIES: '127.0.0.1',
        DIRECT_FROM: 'anyone',
        // On a busy machine every process is late now and then.
        EVENT_LOOP_DELAY_MS_MAX: '60000',
      },
      ready: async () => (await fetch(`http://127.0.0.1:${operatorPort}/readyz`)).ok,
      readyWithinMs: 60_000,
    })
    const web = join(folder, 'web')
    execFileSync('npm', ['run', 'build', '-w', 'apps/web', '--', '--outDir', web, '--logLevel', 'error'], {
      cwd: inProject(''),
      timeout: buildMsMax,
    })
    execFileSync(process.execPath, [inProject('docker/edge/pack.mjs'), web])
    const gateways = fleet.nodes.map(node => new URL(node.directUrl).host).join(',')
    // Both of them have one address.
    const limits = { REQUESTS_BURST: '1000' }
    const places = { PORT: String(port), GATEWAYS: gateways, API: `127.0.0.1:${apiPort}`, WEB: web }
    edge = await startEdge({ nginx: nginx!, env: { ...places, ...limits } })
  }, buildMsMax + 120_000)
  afterAll(async () => {
    await browser?.close()
    await edge?.end()
    await api?.end('SIGTERM', 30_000)
    await fleet?.stop()
    await redis?.stop()
    await database?.drop()
    dropFolder(folder)
  }, 120_000)

  /** Somebody who has just signed up, in a browser of their own. */
  async function person(name: string): Promise<Page> {
    const context = await browser.newContext({ locale: 'en-GB' })
    context.setDefaultTimeout(actionMs)
    context.on('console', message => {
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
        complaints.push(message.text())
    })
    context.on('weberror', error => complaints.push(String(error.error())))
    const page = await context.newPage()
    await page.goto(`${url}/signin?view=up`)
    await page.getByLabel('Name', { exact: true }).fill(name)
    await page.getByLabel('Password', { exact: true }).fill(password)
    await page.getByRole('button', { name: 'Create account' }).click()
    await page.waitForURL(`${url}/`)
    return page
  }
  const pane = (page: Page) => page.locator('[data-conversation-pane]')
  const say = async (page: Page, text: string) => {
    const composer = pane(page).locator('[data-composer] textarea')
    await composer.fill(text)
    await composer.press('Enter')
  }
  const hears = (page: Page, text: string) => pane(page).locator('article', { hasText: text }).last().waitFor()

  /** One that has a connection. */
  const used = () =>
    until(
      async () => {
        for (const node of fleet.nodes)
          if (node.running() && (await node.metric('flotilla_connections')) > 0) return node
        return undefined
      },
      { what: 'a gateway has one of them' },
    )

  test('two people talk through it, and go on when gateways leave and die and one has no network', {
    timeout: 180_000,
  }, async () => {
    const [ann, bob] = [await person('ann'), await person('bob')]
    await ann.getByRole('button', { name: 'New conversation' }).first().click()
    await ann.getByRole('dialog').getByRole('searchbox').fill('bob')
    await ann.getByRole('dialog').getByRole('button', { name: 'bob' }).click()
    await say(ann, 'Hello bob')
    await bob.locator('[data-conversation]', { hasText: 'ann' }).click()
    await hears(bob, 'Hello bob')
    await say(bob, 'Hello ann')
    await hears(ann, 'Hello ann')

    const leaving = await used()
    await leaving.drain()
    await say(ann, 'still here')
    await hears(bob, 'still here')
    await leaving.start()
    const dying = await used()
    await dying.kill()
    await say(ann, 'and again')
    await hears(bob, 'and again')
    await bob.context().setOffline(true)
    await say(bob, 'from nowhere')
    await say(ann, 'where are you?')
    await bob.context().setOffline(false)
    await hears(ann, 'from nowhere')
    await hears(bob, 'where are you?')
    // An address of the page is the page, also when it is loaded from there.
    await bob.reload()
    await hears(bob, 'still here')
    expect(complaints).toEqual([])
  })
})
