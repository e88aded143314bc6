/**
 * Tabs of one person in a real Chromium, against all of it: they share a store, and each hears everything once and in
 * order while others are closed, frozen or killed with messages that were not sent.
 */
import { randomBytes } from 'node:crypto'
import type * as Sdk from '@flotilla/sdk'
import { type Client, createClient, createSignIn, textOf } from '@flotilla/sdk'
import { silentLogger } from '@flotilla/service'
import { dropFolder, findChromium, freePort, makeFolder, openBrowser, until } from '@flotilla/testing'
import type { Browser, BrowserContext, CDPSession, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { bundleSdk, openPage, servePage, stopProcess } from './browser.testbed.ts'
import { type Standalone, startStandalone } from './standalone.ts'

vi.setConfig({ testTimeout: 90_000, hookTimeout: 120_000 })

/** What a page hangs on its window. The functions that are given to `evaluate` run there. */
interface Tab {
  readonly sdk: typeof Sdk
  client: Client
  heard: string[]
  states: string[]
  sends: Record<string, string>
}

const chromium = findChromium()
const inChromium = test.skipIf(chromium === undefined)
const lanName = 'chat.lan'
const password = 'a password of some length'
const nameOf = () => `tab_${randomBytes(5).toString('hex')}`
let folder: string
let standalone: Standalone
let browser: Browser
let script: string
/** The same process: by localhost, whose pages are secure ones, and by a name of the LAN, whose pages are not. */
let local: string
let lan: string
let context: BrowserContext
let token: string
let conversation: string
/** The texts that are stored, in their order. */
let readLog: () => Promise<string[]>

beforeAll(async () => {
  if (chromium === undefined) return
  folder = makeFolder('tabs')
  const port = await freePort()
  local = `http://localhost:${port}`
  lan = `http://${lanName}:${port}`
  standalone = await startStandalone({
    folder,
    host: '127.0.0.1',
    port,
    publicUrl: lan,
    logger: silentLogger,
    bounds: { directFrom: 'anyone' },
    eventLoopDelayMsMax: 60_000,
  })
  browser = await openBrowser(chromium, lanName)
  script = await bundleSdk()
})
beforeEach(async () => {
  if (chromium === undefined) return
  context = await browser.newContext()
  await servePage(context, script)
  const [alice, bob] = [createSignIn(local), createSignIn(local)]
  await alice.register({ username: nameOf(), password })
  const { id } = await bob.register({ username: nameOf(), password })
  token = await alice.getToken({ expired: false })
  const { rest } = createClient({ api: local, getToken: alice.getToken })
  conversation = (await rest.createDirect(id)).id
  readLog = async () => {
    const { entries } = await rest.history(conversation, { limit: 200 })
    return entries.flatMap(entry => (entry.event === 'message.new' ? [textOf(entry.body)] : []))
  }
})
afterEach(() => context?.close())
afterAll(async () => {
  await browser?.close()
  await standalone?.stop()
  if (folder !== undefined) dropFolder(folder)
})

/** A tab with a running client. */
async function openTab(): Promise<Page> {
  const page = await openPage(context, local)
  await page.evaluate(
    async given => {
      const tab = globalThis as unknown as Tab
      Object.assign(tab, { heard: [], states: [], sends: {} })
      tab.client = tab.sdk.createClient({
        api: given.local,
        getToken: async () => given.token,
        store: tab.sdk.createIndexedDbStore({ name: 'alice' }),
      })
      tab.client.on('message', ({ seq, body }) => void tab.heard.push(`${seq} ${tab.sdk.textOf(body)}`))
      tab.client.on('state', state => void tab.states.push(state.name === 'waiting' ? state.reason : state.name))
      tab.client.on('sendState', send => {
        if (send.op === 'message.send') tab.sends[tab.sdk.textOf(send.body)] = send.state.name
      })
      await tab.client.start()
    },
    { local, token },
  )
  await when('the tab is live', async () => (await of(page, 'states')).includes('live'))
  return page
}

const of = <F extends 'heard' | 'states' | 'sends'>(page: Page, field: F): Promise<Tab[F]> =>
  page.evaluate(name => (globalThis as unknown as Tab)[name as 'heard'], field) as Promise<Tab[F]>

const when = (what: string, met: () => Promise<boolean>) => until(met, { what, withinMs: 20_000 })

const networks = new WeakMap<Page, CDPSession>()

/** The network of one tab alone. */
async function setNetwork(page: Page, there: boolean): Promise<void> {
  // What one session has taken away another does not give back.
  const session = networks.get(page) ?? (await context.newCDPSession(page))
  networks.set(page, session)
  const speed = { latency: 0, downloadThroughput: -1, uploadThroughput: -1 }
  await session.send('Network.emulateNetworkConditions', { offline: !there, ...speed })
}

const write = (page: Page, texts: readonly string[]) =>
  page.evaluate(
    given => {
      const tab = globalThis as unknown as Tab
      for (const text of given.texts) tab.client.send({ conversation: given.conversation, body: { text } })
    },
    { texts, conversation },
  )

/** Writes messages while there is no network, and resolves when they are in the store. */
async function writeOffline(page: Page, texts: readonly string[]): Promise<void> {
  await write(page, texts)
  const kept = () =>
    page.evaluate(
      () =>
        new Promise<string[]>(resolve => {
          indexedDB.open('alice').onsuccess = ({ target }) => {
            const all = (target as IDBOpenDBRequest).result.transaction('sends').objectStore('sends').getAll()
            all.onsuccess = () => resolve(all.result.map(send => (send as { body: { text: string } }).body.text))
          }
        }),
    )
  await when('the messages are kept', async () => {
    const all = await kept()
    return texts.every(text => all.includes(text))
  })
}

/** Everything is stored once, and the tabs heard all of it once, in its order. */
async function settled(expected: readonly string[], tabs: readonly Page[]): Promise<void> {
  await when('all is sent', async () => (await readLog()).length >= expected.length)
  const log = await readLog()
  expect(log.toSorted()).toEqual(expected.toSorted())
  // What one tab wrote has its order; what of two tabs comes first is the server's.
  for (const from of ['a', 'b']) {
    const ofTab = (texts: readonly string[]) => texts.filter(text => text.startsWith(from))
    expect(ofTab(log)).toEqual(ofTab(expected))
  }
  // The conversation itself was the first entry.
  const heard = log.map((text, nth) => `${nth + 2} ${text}`)
  for (const tab of tabs) {
    await when('a tab has it all', async () => (await of(tab, 'heard')).length >= heard.length)
    expect(await of(tab, 'heard')).toEqual(heard)
  }
}

const fiveOf = (tab: string) => [1, 2, 3, 4, 5].map(nth => `${tab}${nth}`)

inChromium('both write offline, one is closed: the other sends what both wrote', async () => {
  const [a, b] = [await openTab(), await openTab()]
  await context.setOffline(true)
  for (const tab of [a, b]) await when('offline is believed', async () => (await of(tab, 'states')).includes('offline'))
  await writeOffline(a, fiveOf('a'))
  await writeOffline(b, fiveOf('b'))
  await a.close()
  // It is the other's before there is a network again.
  await when('it is taken over', async () => Object.keys(await of(b, 'sends')).length === 10)
  await context.setOffline(false)
  await settled([...fiveOf('a'), ...fiveOf('b')], [b])
  await when('all is sent', async () => Object.values(await of(b, 'sends')).every(state => state === 'sent'))
  // A tab that opens now goes on from here.
  const late = await openTab()
  await write(b, ['b6'])
  await when('the new tab hears it', async () => (await of(late, 'heard')).length > 0)
  expect(await of(late, 'heard')).toEqual(['12 b6'])
})

inChromium('one is frozen with unsent messages: the other sends them; thawed, it has it all', async () => {
  const [a, b] = [await openTab(), await openTab()]
  await setNetwork(a, false)
  await writeOffline(a, fiveOf('a'))
  await a.evaluate(() => document.dispatchEvent(new Event('freeze')))
  const goOn = await stopProcess(a)
  const expected = [...fiveOf('a'), 'b1', 'b2']
  try {
    await write(b, ['b1', 'b2'])
    await settled(expected, [b])
  } finally {
    goOn()
  }
  await a.evaluate(() => document.dispatchEvent(new Event('resume')))
  await setNetwork(a, true)
  await settled(expected, [a, b])
  await when('the thawed tab knows', async () => Object.values(await of(a, 'sends')).every(state => state === 'sent'))
  // It lives again: what it leaves now is taken over as before.
  await setNetwork(a, false)
  await writeOffline(a, ['a6'])
  await a.close()
  await settled([...expected, 'a6'], [b])
})

inChromium('one is killed with unsent messages: the other, connected all the while, sends them', async () => {
  const [a, b] = [await openTab(), await openTab()]
  await setNetwork(a, false)
  await writeOffline(a, fiveOf('a'))
  const crashed = a.waitForEvent('crash')
  const session = await context.newCDPSession(a)
  session.send('Page.crash').catch(() => {})
  await crashed
  await settled(fiveOf('a'), [b])
  expect(await of(b, 'states')).toEqual(['connecting', 'live'])
})

inChromium('over plain http, by a name of the LAN, people register, connect and write', async () => {
  const page = await openPage(context, lan)
  const outcome = await page.evaluate(
    async ({ api, username, password }) => {
      const { createSignIn, createClient, createIndexedDbStore } = (globalThis as unknown as Tab).sdk
      const account = createSignIn(api)
      const me = await account.register({ username, password })
      const client = createClient({
        api,
        getToken: account.getToken,
        store: createIndexedDbStore({ name: me.id }),
      })
      const { id } = await client.rest.createGroup('Just me', [])
      await client.start()
      const { seq } = await client.send({ conversation: id, body: { text: 'hello' } }).acknowledged
      await client.stop()
      return { isSecure: isSecureContext, seq }
    },
    { api: lan, username: nameOf(), password },
  )
  expect(outcome).toEqual({ isSecure: false, seq: 2 })
})

inChromium('a page that cannot reach the API is told what can be known', async () => {
  const page = await openPage(context, local)
  const message = await page.evaluate(
    async api => {
      const client = (globalThis as unknown as Tab).sdk.createClient({ api, getToken: async () => 'token' })
      const waiting = new Promise<string>(resolve => {
        client.on('state', state => state.name === 'waiting' && resolve(state.error.message))
      })
      await client.start()
      const said = await waiting
      await client.stop()
      return said
    },
    `http://127.0.0.1:${await freePort()}`,
  )
  expect(message).toMatch(
    /^unable to GET \/v1\/connect: Failed to fetch; the browser hides why: nothing answers at http/,
  )
  expect(message).toContain(`does not allow pages of ${local}`)
})
