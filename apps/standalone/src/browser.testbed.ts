/** A page that has the SDK and nothing else, for tests of the SDK in a real Chromium. */
import { fileURLToPath } from 'node:url'
import type { BrowserContext, Page } from 'playwright-core'
import { build } from 'vite'

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
  // So much work, not for so long: a machine that stands still meanwhile would count as none.
  await page.evaluate('{ let sum = 0; for (let nth = 0; nth < 40_000_000; nth++) sum += Math.random(); sum }')
  const worked = (await renderers()).map(({ id, cpuTime }) => ({ id, time: cpuTime - (before.get(id) ?? 0) }))
  const [busiest] = worked.sort((one, other) => other.time - one.time)
  if (busiest === undefined) throw new Error('there is no process of a page')
  process.kill(busiest.id, 'SIGSTOP')
  return () => process.kill(busiest.id, 'SIGCONT')
}
