/** The page as people have it: the process of `npm start` with its demo workspace, a browser, and others who write. */
import { join } from 'node:path'
import { type Client, createClient, createSignIn } from '@flotilla/sdk'
import { dropFolder, findChromium, freePort, makeFolder, openBrowser, startProcess, until } from '@flotilla/testing'
import { projectFolder } from '@flotilla/testing/load'
import type { BrowserContext } from 'playwright-core'
import type { Ground } from '../bed.ts'
import { onCore, serverCore } from '../placement.ts'
import { answers } from '../sides/node-process.ts'
import type { Defer } from '../tidy.ts'

export interface Stage {
  readonly url: string
  /** Of somebody who is signed in. */
  readonly context: BrowserContext
  /** The groups of that person, the one with most messages first. */
  readonly groups: readonly string[]
  /** Others of the demo workspace, who are in all of these. */
  readonly others: readonly Client[]
}

/** The first start builds the page. */
const readyWithinMs = 180_000
const stopWithinMs = 15_000
/** With those of the demo workspace, more than twenty conversations. */
const roomsMore = 18
const messagesInRoom = 10

export async function openStage(ground: Ground, defer: Defer): Promise<Stage> {
  const chromium = findChromium()
  if (chromium === undefined) throw new Error('unable to measure the page: there is no Chromium')
  const folder = makeFolder('bench-web')
  defer(async () => dropFolder(folder))
  const port = await freePort()
  const url = `http://localhost:${port}`
  const server = await startProcess({
    command: process.execPath,
    args: ['--conditions=source', join(projectFolder, 'apps/standalone/src/main.ts'), '--demo'],
    folder,
    env: { DATABASE_URL: ground.databaseUrl, FLOTILLA_FOLDER: folder, PORT: `${port}`, HOST: '127.0.0.1' },
    launcher: onCore(serverCore),
    ready: () => answers(`${url}/readyz`),
    readyWithinMs,
  })
  defer(() => server.end('SIGTERM', stopWithinMs))
  const [, names, password] = (await until(
    async () => /sign in as ([\w, ]+) with the password ([\w-]+)/.exec(server.log()) ?? undefined,
    { what: 'the demo workspace', withinMs: readyWithinMs },
  )) as unknown as [string, string, string]
  const [viewer, ...writers] = names.split(', ')
  const others = await Promise.all(writers.map(name => signIn(url, name, password)))
  for (const client of others) defer(() => client.stop())
  const browser = await openBrowser(chromium)
  defer(() => browser.close())
  const context = await browser.newContext({ viewport: { width: 1_440, height: 1_600 } })
  const page = await context.newPage()
  await page.goto(`${url}/signin`)
  await page.locator('input').nth(0).fill(viewer!)
  await page.locator('input').nth(1).fill(password)
  await page.keyboard.press('Enter')
  await page.waitForURL(`${url}/`)
  const groups = await makeRooms(others)
  await page.close()
  return { url, context, groups, others }
}

async function signIn(url: string, username: string, password: string): Promise<Client> {
  const account = createSignIn(url)
  await account.signIn({ username, password })
  const client = createClient({ api: url, getToken: account.getToken })
  await client.start()
  return client
}

/** Rooms with everybody in them, beside those of the demo workspace that have everybody. */
async function makeRooms(others: readonly Client[]): Promise<readonly string[]> {
  const [owner, ...rest] = others as [Client, ...Client[]]
  const { conversations } = await owner.rest.conversations({ limit: 100 })
  const ofAll = conversations.filter(({ kind, memberCount }) => kind === 'group' && memberCount === others.length + 1)
  const everybody = [...new Set(ofAll.flatMap(({ members = [] }) => members.map(({ user }) => user.id)))]
  const made: string[] = []
  for (let nth = 1; nth <= roomsMore; nth++) {
    const members = everybody.filter(id => id !== owner.user)
    const { id } = await owner.rest.createGroup(`Room ${nth}`, members)
    const writer = rest[nth % rest.length] ?? owner
    for (let said = 0; said < messagesInRoom; said++)
      await writer.send({ conversation: id, body: { text: `Message ${said} in room ${nth}` } }).acknowledged
    made.push(id)
  }
  const first = ofAll.toSorted((one, other) => other.head - one.head).map(({ id }) => id)
  return [...first, ...made]
}
