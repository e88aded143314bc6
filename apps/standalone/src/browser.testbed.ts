/** A real Chromium for tests of the SDK, and a page in it that has the SDK and nothing else. */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { build } from 'vite'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** Its path; or undefined, after it was said aloud what is missing and how to get it. */
export function findChromium(): string | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter))
    for (const name of names) {
      try {
        accessSync(join(folder, name), constants.X_OK)
        return join(folder, name)
      } catch {
        // Not this one.
      }
    }
  // Straight to the terminal: a reporter may hide what skipped tests print.
  process.stderr.write('skipped: there is no Chromium here; on Debian: apt-get install chromium\n')
  return undefined
}

/** @param lanName a name that leads to this machine, and is not localhost: what it serves over http is no secure page */
export function openBrowser(executablePath: string, lanName: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-sync',
      '--disable-background-networking',
      '--disable-component-update',
      // Each tab has a process of its own, also on a small machine.
      '--renderer-process-limit=16',
      // Whatever proxy the machine has leads out of it.
      '--no-proxy-server',
      // A page that the test itself serves has no address, and counts as one from far away.
      '--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests',
      `--host-resolver-rules=MAP ${lanName} 127.0.0.1`,
    ],
  })
}

/** The SDK as a script, which hangs it on `sdk`. */
export async function bundleSdk(): Promise<string> {
  const entry = '\0entry'
  const sdk = fileURLToPath(import.meta.resolve('@flotilla/sdk'))
  const result = await build({
    configFile: false,
    logLevel: 'silent',
    resolve: { conditions: ['source'] },
    plugins: [
      {
        name: 'entry',
        resolveId: id => (id === entry ? entry : null),
        load: id => (id === entry ? `import * as sdk from '${sdk}'; globalThis.sdk = sdk` : null),
      },
    ],
    build: { write: false, minify: false, rolldownOptions: { input: entry }, target: 'es2022' },
  })
  if (!('output' in result)) throw new Error('there is no bundle')
  return result.output.map(one => (one.type === 'chunk' ? one.code : '')).join('\n')
}

const pagePath = '/tab'

/** Lets every page of the context find the SDK at `/tab` of any host. */
export async function servePage(context: BrowserContext, script: string): Promise<void> {
  const body = `<!doctype html><meta charset="utf-8"><script type="module">${script.replaceAll('</script', String.raw`<\/script`)}</script>`
  await context.route(`**${pagePath}`, route => route.fulfill({ body, contentType: 'text/html' }))
}

export async function openPage(context: BrowserContext, origin: string): Promise<Page> {
  const page = await context.newPage()
  await page.goto(origin + pagePath)
  await page.waitForFunction('globalThis.sdk !== undefined')
  return page
}

/**
 * Stops the process of a page in the middle of what it does, as the system does with an app that it puts to sleep. (Nothing
 * freezes a page that Playwright holds: it keeps all of them awake.)
 * @returns lets it go on
 */
export async function stopProcess(page: Page): Promise<() => void> {
  const session = await page.context().browser()?.newBrowserCDPSession()
  if (session === undefined) throw new Error('there is no browser')
  const renderers = async () =>
    (await session.send('SystemInfo.getProcessInfo')).processInfo.filter(one => one.type === 'renderer')
  // No page knows its process: it is the one that works when the page works.
  const before = new Map((await renderers()).map(one => [one.id, one.cpuTime]))
  await page.evaluate('for (const end = performance.now() + 400; performance.now() < end; );')
  const worked = (await renderers()).map(({ id, cpuTime }) => ({ id, time: cpuTime - (before.get(id) ?? 0) }))
  const [busiest] = worked.sort((one, other) => other.time - one.time)
  if (busiest === undefined) throw new Error('there is no process of a page')
  process.kill(busiest.id, 'SIGSTOP')
  return () => process.kill(busiest.id, 'SIGCONT')
}
