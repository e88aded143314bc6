/** A guest talks to support through the widget, on the page of the shop with its policy, in a real browser. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Client, createClient, createSignIn, textOf } from '@flotilla/sdk'
import {
  findChromium,
  freePort,
  openBrowser,
  type StandaloneProcess,
  startStandaloneProcess,
  until,
} from '@flotilla/testing'
import axe from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { build, preview } from 'vite'
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test, vi } from 'vitest'

const chromium = findChromium()
const inChromium = test.skipIf(chromium === undefined)
const actionMs = 15_000
/** What would run, or load, or leave the page, were it taken for HTML. */
const attacks = [
  '<img src=x onerror="window.hit=1">',
  '<script>window.hit=1</script>',
  '<svg/onload=window.hit=1>',
  '"><iframe srcdoc="<script>parent.hit=1</script>">',
  '<a href="javascript:window.hit=1">click</a>',
  '&lt;b&gt;bold&lt;/b&gt;',
]

let server: StandaloneProcess | undefined
let browser: Browser | undefined
let shop: string
let support: Client
const complaints: string[] = []
const heard: string[] = []
/** How far guests have read. */
let readUpTo = 0
let conversation: string

beforeAll(async () => {
  if (chromium === undefined) return
  server = await startStandaloneProcess()
  browser = await openBrowser(chromium)
  shop = await openShop(server.url)
  const account = createSignIn(server.url)
  await account.register({ username: 'chandlery', displayName: 'Sam of the shop', password: 'a long enough phrase' })
  support = createClient({ api: server.url, getToken: account.getToken })
  await support.rest.profile.changeSettings({ directFrom: 'anyone' })
  support.on('message', message => {
    heard.push(textOf(message.body))
    ;({ conversation } = message)
  })
  support.on('receipt', ({ kind, seq }) => {
    if (kind === 'read') readUpTo = Math.max(readUpTo, seq)
  })
  await support.start()
})
afterEach(() => expect(complaints.splice(0)).toEqual([]))
afterAll(async () => {
  await support?.stop()
  await browser?.close()
  await server?.stop()
})

/** The shop as `npm start -w examples/embed-widget` serves it, with the address of this server in the place of its own. */
async function openShop(api: string): Promise<string> {
  vi.stubEnv('NODE_ENV', 'production')
  const folder = mkdtempSync(join(tmpdir(), 'widget-'))
  const configFile = fileURLToPath(new URL('../vite.config.ts', import.meta.url))
  await build({ configFile, logLevel: 'error', build: { outDir: folder, emptyOutDir: true } })
  vi.unstubAllEnvs()
  const page = join(folder, 'index.html')
  writeFileSync(page, readFileSync(page, 'utf8').replaceAll('localhost:8080', new URL(api).host))
  const port = await freePort()
  const served = await preview({ configFile, build: { outDir: folder }, preview: { port, strictPort: true } })
  afterAll(async () => {
    await served.close()
    rmSync(folder, { recursive: true })
  })
  return `http://localhost:${port}/`
}

async function visit(change: (html: string) => string = html => html): Promise<Page> {
  const context = await browser!.newContext({ viewport: { width: 390, height: 700 } })
  onTestFinished(() => context.close())
  context.setDefaultTimeout(actionMs)
  context.on('console', message => message.type() === 'error' && complaints.push(message.text()))
  context.on('weberror', error => complaints.push(String(error.error())))
  await context.route(shop, async route => {
    const response = await route.fetch()
    await route.fulfill({ response, body: change(await response.text()) })
  })
  const page = await context.newPage()
  await page.goto(shop)
  return page
}

const bubble = (page: Page) => page.locator('.bubble')
const texts = (page: Page) => page.locator('flotilla-chat li .text').allInnerTexts()
/** Keys go there: what was there before may still have had them. */
const hasFocus = (page: Page, label: string) =>
  expect.poll(() => page.getByLabel(label).evaluate(field => field.matches(':focus'))).toBe(true)
const answer = (text: string) => support.send({ conversation, body: { text } }).acknowledged
async function expectAccessible(page: Page) {
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate<axe.AxeResults>(`axe.run('flotilla-chat')`)
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([])
}

inChromium(
  'a guest and support talk, by the keyboard, through a reload, with what is unread on the bubble',
  async () => {
    const page = await visit()
    await bubble(page).focus()
    await page.keyboard.press('Enter')
    await hasFocus(page, 'Your name')
    await expectAccessible(page)
    await page.keyboard.type('Gail <i>Guest</i>')
    await page.keyboard.press('Enter')
    await hasFocus(page, 'Your message')
    await page.keyboard.type('Is the lantern in stock?')
    await page.keyboard.press('Enter')
    await until(async () => heard.includes('Is the lantern in stock?'), {
      what: 'support hears it',
      withinMs: actionMs,
    })
    const { seq } = await answer('It is.')
    await expect.poll(() => texts(page)).toEqual(['Is the lantern in stock?', 'It is.'])
    await expectAccessible(page)
    await page.getByRole('heading', { name: 'Sam of the shop' }).waitFor()

    // What was read is told a moment later; a reload before that would leave it unread.
    await until(async () => readUpTo >= seq, { what: 'support hears that it was read', withinMs: actionMs })
    await page.keyboard.press('Escape')
    await expect.poll(() => bubble(page).evaluate(element => element.matches(':focus'))).toBe(true)
    await answer('Shall I put one aside?')
    await page.getByRole('button', { name: 'Unread messages: 1' }).waitFor()
    await page.reload()
    await page.getByRole('button', { name: 'Unread messages: 1' }).click()
    await expect.poll(async () => (await texts(page)).at(-1)).toBe('Shall I put one aside?')
    await hasFocus(page, 'Your message')
    await page.keyboard.type('Yes please')
    await page.keyboard.press('Enter')
    await until(async () => heard.includes('Yes please'), { what: 'support hears it', withinMs: actionMs })
    await page.keyboard.press('Escape')
    await expect.poll(() => page.locator('.badge').isVisible()).toBe(false)
    expect(await page.evaluate('localStorage.length + document.cookie.length')).toBe(0)
  },
)

inChromium('whatever is written is text, in both directions, and a page from right to left is followed', async () => {
  const page = await visit(html => html.replace('<html lang="en">', '<html lang="ar" dir="rtl">'))
  await page.emulateMedia({ reducedMotion: 'reduce' })
  await bubble(page).click()
  await page.getByLabel('اسمك').fill(attacks[0]!)
  await page.keyboard.press('Enter')
  await page.getByLabel('رسالتك').fill(attacks.join('\n'))
  await page.keyboard.press('Enter')
  await until(async () => heard.includes(attacks.join('\n')), { what: 'support hears it', withinMs: actionMs })
  for (const attack of attacks) await answer(attack)
  await expect.poll(() => texts(page)).toEqual([attacks.join('\n'), ...attacks])
  expect(await page.locator('flotilla-chat').locator('.log :is(img, script, svg, iframe, a, b)').count()).toBe(0)
  expect(await page.evaluate('window.hit')).toBeUndefined()

  const { x = 0 } = (await bubble(page).boundingBox()) ?? {}
  expect(x).toBeLessThan(100)
  expect(await page.locator('.panel').evaluate(panel => getComputedStyle(panel).animationName)).toBe('none')
})
