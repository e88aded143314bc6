/**
 * For tests in a real browser: all of Flotilla as `npm start` runs it, on a database of its own, and people with browsers.
 * A page that breaks its policy, throws, or complains in the console fails the test that it is used in.
 */
import axe from 'axe-core'
import { findChromium, openBrowser, startMailSink, startStandaloneProcess, until } from '@flotilla/testing'
import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core'
import { expect, test } from 'vitest'

const chromium = findChromium()
/** A test that needs a browser, and is skipped where there is none. */
export const inChromium = test.skipIf(chromium === undefined)
export const password = 'a long enough phrase'

const actionMs = 15_000

export interface Web {
  readonly url: string
  readonly browser: Browser
  /** A browser of somebody else's: it shares nothing with the others. */
  open(options?: BrowserContextOptions): Promise<Page>
  /** Somebody who has just signed up by a password, at the page that follows. */
  person(name?: string, options?: BrowserContextOptions): Promise<{ readonly page: Page; readonly name: string }>
  /** The code of the first, or whichever, mail to an address. */
  codeFor(email: string, which?: number): Promise<string>
  /** What pages have complained of since it was last asked. */
  complaints(): string[]
  stop(): Promise<void>
}

/** @returns undefined where there is no browser @param settings for the process, beyond those that it needs */
export async function startWeb(settings: Readonly<Record<string, string>> = {}): Promise<Web | undefined> {
  if (chromium === undefined) return undefined
  const mails = await startMailSink()
  const server = await startStandaloneProcess({
    DIRECT_FROM: 'anyone',
    SMTP_URL: `smtp://127.0.0.1:${mails.port}`,
    MAIL_FROM: 'Flotilla <noreply@flotilla.example>',
    ...settings,
  })
  const { url } = server
  const browser = await openBrowser(chromium)
  const contexts = new Set<BrowserContext>()
  const complained: string[] = []
  const open = async (options: BrowserContextOptions = {}) => {
    const context = await browser.newContext({ locale: 'en-GB', ...options })
    context.setDefaultTimeout(actionMs)
    await context.addInitScript(keepNotes)
    contexts.add(context)
    context.on('console', message => {
      // What the browser says of a refused request by itself is no fault of the page.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
        complained.push(message.text())
    })
    context.on('weberror', error => complained.push(String(error.error())))
    return context.newPage()
  }
  return {
    url,
    browser,
    open,
    async person(name = nameOf('person'), options = {}) {
      const page = await open(options)
      await page.goto(`${url}/signin?view=up`)
      await page.getByLabel('Name', { exact: true }).fill(name)
      await page.getByLabel('Password', { exact: true }).fill(password)
      await page.getByRole('button', { name: 'Create account' }).click()
      await page.waitForURL(`${url}/`)
      return { page, name }
    },
    async codeFor(email, which = 1) {
      const mail = () => mails.mails.filter(one => one.includes(email))[which - 1]
      const text = await until(async () => mail(), { what: `mail ${which} to ${email}`, withinMs: 20_000 })
      const code = /\b\d{3}[ -]?\d{3}\b/.exec(text.slice(text.indexOf('\r\n\r\n')))?.[0]
      if (code === undefined) throw new Error(`unable to find a code in ${text}`)
      return code
    },
    complaints: () => complained.splice(0),
    async stop() {
      await Promise.all([...contexts].map(context => context.close()))
      await browser.close()
      await server.stop()
      await mails.close()
    },
  }
}

export const nameOf = (kind: string) => `${kind}${Math.random().toString(36).slice(2, 9)}`

/** Notes go by themselves, also while the test stands still and cannot look: the page keeps what was said. */
const keepNotes = `(() => {
  window.said = []
  const known = new WeakSet()
  const look = () => {
    for (const note of document.querySelectorAll('[role="status"] p')) {
      if (!known.has(note)) window.said.push(note.textContent)
      known.add(note)
    }
  }
  new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true })
})()`

/** Waits until the page has said it in a note since it was last asked for that, or was loaded. */
export async function noted(page: Page, text: string): Promise<void> {
  const isSaid = `(text => {
    const before = window.said.length
    window.said = window.said.filter(one => !one.includes(text))
    return window.said.length < before
  })(${JSON.stringify(text)})`
  await expect.poll(() => page.evaluate(isSaid), { message: text }).toBe(true)
}

/** Does something and waits until the server has taken the change that the page makes of it. */
export async function changing(page: Page, act: () => Promise<unknown>): Promise<void> {
  const isChange = (method: string) => method === 'PATCH' || method === 'PUT'
  await Promise.all([page.waitForResponse(one => isChange(one.request().method()) && one.ok()), act()])
}

/** Turns a switch, or chooses a radio button, and waits until the page shows it: what it stands for may be asked of the server. */
export async function turn(control: Locator, isOn = true): Promise<void> {
  await expect.poll(() => control.isEnabled()).toBe(true)
  // The input lies hidden under what is drawn of it.
  if ((await control.isChecked()) !== isOn) await control.click({ force: true })
  await expect.poll(() => control.isChecked()).toBe(isOn)
}

/** Nothing on the page breaks the rules of WCAG 2.2 AA that a program can check. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(axe.source)
  // The words of a sign belong to it, wherever on the page they are drawn.
  const regionMatcher = 'dialog, [role=dialog], [role=alertdialog], [role=tooltip], svg'
  await page.evaluate(`axe.configure(${JSON.stringify({ checks: [{ id: 'region', options: { regionMatcher } }] })})`)
  const { violations } = await page.evaluate<axe.AxeResults>(
    // React Aria announces a pending button by an image that is gone again before anybody could look at it.
    `axe.run({ exclude: ['[data-live-announcer]'] }, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })`,
  )
  const told = violations.flatMap(({ id, nodes }) => nodes.map(node => `${id}: ${node.html} ${node.failureSummary}`))
  expect(told, page.url()).toEqual([])
}
