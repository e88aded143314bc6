/** Two people in the room, in a real browser. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findChromium, freePort, openBrowser, type StandaloneProcess, startStandaloneProcess } from '@flotilla/testing'
import type { Browser, Page } from 'playwright-core'
import { build, preview } from 'vite'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'

const chromium = findChromium()
const actionMs = 15_000

/** The page as `vite build` makes it, on a port of its own: it asks this API. */
async function serveExample(api: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'react-chat-'))
  const configFile = fileURLToPath(new URL('../vite.config.ts', import.meta.url))
  vi.stubEnv('NODE_ENV', 'production')
  vi.stubEnv('VITE_API', api)
  await build({ configFile, logLevel: 'error', build: { outDir: folder, emptyOutDir: true } })
  vi.unstubAllEnvs()
  const port = await freePort()
  const served = await preview({ configFile, build: { outDir: folder }, preview: { port, strictPort: true } })
  onTestFinished(async () => {
    await served.close()
    rmSync(folder, { recursive: true })
  })
  return `http://localhost:${port}/`
}

const say = async (page: Page, text: string) => {
  await page.getByLabel('Message', { exact: true }).fill(text)
  await page.getByRole('button', { name: 'Send' }).click()
}
const messages = (page: Page) => page.locator('li').allInnerTexts()

let server: StandaloneProcess | undefined
let browser: Browser | undefined
beforeAll(async () => {
  if (chromium === undefined) return
  server = await startStandaloneProcess()
  browser = await openBrowser(chromium)
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

test.skipIf(chromium === undefined)('two people chat in the room', async () => {
  const enter = async (address: string, name: string) => {
    const context = await browser!.newContext({ viewport: { width: 400, height: 220 } })
    context.setDefaultTimeout(actionMs)
    const page = await context.newPage()
    page.on('pageerror', error => expect.unreachable(String(error)))
    await page.goto(address)
    await page.getByLabel('Your name').fill(name)
    await page.getByRole('button', { name: 'Enter' }).click()
    await page.getByRole('heading', { name: 'Lobby' }).waitFor()
    return page
  }

  const ann = await enter(await serveExample(server!.url), 'Ann <b>B.</b>')
  await say(ann, 'Is anybody here?')
  // The link of the room is in the address.
  const bob = await enter(ann.url(), 'Bob')
  await expect.poll(() => messages(bob)).toEqual(['Ann <b>B.</b> Is anybody here?'])
  for (const page of [ann, bob]) await page.getByText('2 here').waitFor()

  // It is gone again after a while: the page looks for it from before on.
  await Promise.all([
    ann.getByText('Somebody is typing…').waitFor(),
    bob.getByLabel('Message', { exact: true }).pressSequentially('I am'),
  ])
  for (const text of ['I am', 'one', 'two', 'three', 'four', 'five']) await say(bob, text)
  await expect.poll(async () => (await messages(ann)).at(-1)).toBe('Bob five')

  // Whoever reads further up has not read what comes meanwhile.
  // The page hears of it with the next frame.
  await ann.getByLabel('Messages').evaluate(
    list =>
      new Promise(done => {
        list.scrollTo({ top: 0 })
        requestAnimationFrame(() => requestAnimationFrame(done))
      }),
  )
  await say(bob, 'below')
  await ann.getByRole('button', { name: '1 new' }).click()
  await expect.poll(() => ann.getByRole('button', { name: /new$/ }).count()).toBe(0)

  await bob.context().setOffline(true)
  await bob.getByText('waiting').waitFor()
  await say(bob, 'written offline')
  await bob.context().setOffline(false)
  await expect.poll(async () => (await messages(ann)).at(-1)).toBe('Bob written offline')

  await bob.reload()
  await expect.poll(async () => (await messages(bob)).at(-1)).toBe('Bob written offline')
  await bob.close()
  await ann.getByText('1 here').waitFor()
})
