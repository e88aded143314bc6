/**
 * The command `npm run web:pictures`: starts Flotilla with its demo workspace, signs in as one of its people, and takes the
 * pictures of docs/screenshots. Nothing is staged. It needs Chromium, and a font with emoji to look as people see it.
 */
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createLogger } from '@flotilla/service'
import { dropFolder, findChromium, freePort, makeFolder, openBrowser } from '@flotilla/testing'
import type { Page } from 'playwright-core'
import { buildSite } from './site.ts'
import { startStandalone } from './standalone.ts'

const pictures = fileURLToPath(new URL('../../../docs/screenshots/', import.meta.url))
const sizes = {
  phone: { width: 390, height: 844 },
  tablet: { width: 820, height: 1180 },
  desktop: { width: 1440, height: 900 },
}
/** After it nothing on the page moves any more. */
const settledMs = 1_500

const chromium = findChromium()
if (chromium === undefined) process.exit(1)
mkdirSync(pictures, { recursive: true })
const folder = makeFolder('web-pictures')
const flotilla = await startStandalone({
  folder,
  host: '127.0.0.1',
  port: await freePort(),
  logger: createLogger('flotilla', 'error'),
  siteFolder: await buildSite(() => {}),
  demo: true,
})
const browser = await openBrowser(chromium)
try {
  for (const colorScheme of ['light', 'dark'] as const)
    for (const [size, viewport] of Object.entries(sizes)) {
      const context = await browser.newContext({ viewport, colorScheme })
      await takeAll(await context.newPage(), `${size}-${colorScheme}`)
      await context.close()
    }
} finally {
  await browser.close()
  await flotilla.stop()
  dropFolder(folder)
}

async function takeAll(page: Page, suffix: string): Promise<void> {
  const take = async (view: string) => {
    await page.waitForTimeout(settledMs)
    await page.screenshot({ path: `${pictures}${view}-${suffix}.png` })
  }
  await page.goto(flotilla.url)
  await take('sign-in')
  const [name, password] = [page.locator('input').nth(0), page.locator('input').nth(1)]
  await name.fill(flotilla.demo!.usernames[0]!)
  await password.fill(flotilla.demo!.password)
  await page.keyboard.press('Enter')
  await page.getByText('Launch week').first().waitFor()
  await take('conversations')
  await page.getByText('Launch week').first().click()
  await take('conversation')
  await page.goto(`${flotilla.url}/settings/profile`)
  await take('settings')
}
