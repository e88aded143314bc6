/** The settings: each part changes what it says, on the server and on the page, and can be used by everybody. */
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { createSignIn } from '@flotilla/sdk'
import { flag } from '../flag.testbed.ts'
import {
  changing,
  expectAccessible,
  inChromium,
  nameOf,
  noted,
  password,
  startWeb,
  turn,
  type Web,
} from '../web.testbed.ts'

const parts = ['profile', 'appearance', 'notifications', 'privacy', 'blocked', 'security', 'sessions', 'account']

let web: Web
beforeAll(async () => {
  const started = await startWeb()
  if (started !== undefined) web = started
})
afterEach(() => expect(web?.complaints() ?? []).toEqual([]))
afterAll(() => web?.stop())

const openPart = async (page: Page, part: string) => {
  await page.goto(`${web.url}/settings/${part}`)
  await page.getByRole('heading', { level: 1 }).waitFor()
  await expect.poll(() => page.getByRole('status', { name: 'Loading …' }).count()).toBe(0)
}
const byRole = (page: Page, name: string) => page.getByRole('button', { name, exact: true })
const told = noted

inChromium.each(['light', 'dark'] as const)('every page is accessible, on %s', async colorScheme => {
  const { page } = await web.person(nameOf('eve'), { colorScheme })
  for (const part of parts) {
    await openPart(page, part)
    await expectAccessible(page)
  }
  await page.emulateMedia({ contrast: 'more', colorScheme })
  await page.setViewportSize({ width: 320, height: 640 })
  for (const path of ['/settings', '/settings/profile', '/settings/privacy', '/settings/nothing', '/signin']) {
    await page.goto(web.url + path)
    await page.getByRole('heading').or(page.getByRole('navigation')).first().waitFor()
    await expectAccessible(page)
    // Nothing is wider than the screen.
    expect(await page.evaluate('document.documentElement.scrollWidth'), path).toBeLessThanOrEqual(320)
  }
})

inChromium('a name is text, whatever it looks like, and so is what is written about oneself', async () => {
  const { page } = await web.person()
  await openPart(page, 'profile')
  const name = `<img src=x onerror="document.title='owned'">`
  await page.getByLabel('Your name').fill(name)
  await page.getByLabel('About you').fill(`<script>document.title='owned'</script>\njavascript:alert(1)`)
  await byRole(page, 'Save').click()
  await told(page, 'Saved')
  await page.reload()
  await page.getByRole('paragraph').getByText(name).waitFor()
  expect(await page.title()).toBe('Flotilla')
  expect(await page.locator('img[src="x"]').count()).toBe(0)
})

inChromium('a picture is cut to the square that was chosen, and taken away again', async () => {
  const { page } = await web.person()
  await openPart(page, 'profile')
  const chooser = page.waitForEvent('filechooser')
  await byRole(page, 'Choose a picture').click()
  await (await chooser).setFiles({ name: 'flag.png', mimeType: 'image/png', buffer: flag(60, 20) })
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('application').press('ArrowLeft')
  await expectAccessible(page)
  await dialog.getByRole('button', { name: 'Save' }).click()
  const picture = page.locator('main img')
  await expect.poll(() => picture.evaluate(one => (one as { naturalWidth?: number }).naturalWidth)).toBe(256)
  await byRole(page, 'Remove it').click()
  await told(page, 'The picture is gone')
  await picture.waitFor({ state: 'detached' })
})

inChromium('a file that is no picture is told', async () => {
  const { page } = await web.person()
  await openPart(page, 'profile')
  const chooser = page.waitForEvent('filechooser')
  await byRole(page, 'Choose a picture').click()
  await (await chooser).setFiles({ name: 'flag.png', mimeType: 'image/png', buffer: Buffer.from('no picture') })
  await page.getByText('Use a JPEG, PNG, WebP, GIF or AVIF of up to 5 MB').waitFor()
})

inChromium('dark, dense and Arabic from right to left, kept by this browser', async () => {
  const { page } = await web.person()
  await openPart(page, 'appearance')
  await turn(page.getByRole('radio', { name: 'Dark' }))
  await turn(page.getByRole('radio', { name: 'Compact' }))
  await page.getByLabel('Language').selectOption('العربية')
  await page.getByRole('heading', { name: 'المظهر' }).waitFor()
  await page.reload()
  await page.getByRole('heading', { name: 'المظهر' }).waitFor()
  const root = page.locator('html')
  expect(await root.getAttribute('dir')).toBe('rtl')
  expect(await root.getAttribute('lang')).toBe('ar')
  expect(await root.getAttribute('data-theme')).toBe('dark')
  expect(await root.getAttribute('data-density')).toBe('compact')
  await expectAccessible(page)
  // The menu stands where one begins to read.
  const [menu, main] = await Promise.all([
    page.getByRole('navigation').boundingBox(),
    page.locator('main').boundingBox(),
  ])
  expect(menu?.x).toBeGreaterThan(main?.x ?? 0)
})

inChromium('privacy and quiet hours are the server’s, and come back', async () => {
  const { page } = await web.person()
  await openPart(page, 'privacy')
  // Whoever leaves the page before may take the change with them.
  await changing(page, () => page.getByLabel('What you have read').selectOption('Nobody'))
  await changing(page, () => page.getByLabel('Who may write to you or add you to groups').selectOption('Everyone asks'))
  await openPart(page, 'notifications')
  await changing(page, () => turn(page.getByRole('radio', { name: 'Mentions' })))
  await changing(page, () => turn(page.getByRole('switch', { name: 'Be quiet every day' })))
  await page.getByLabel('From').fill('21:30')
  await changing(page, () => page.getByLabel('From').blur())
  await page.reload()
  await expect.poll(() => page.getByLabel('From').inputValue()).toBe('21:30')
  expect(await page.getByRole('radio', { name: 'Mentions' }).isChecked()).toBe(true)
  await openPart(page, 'privacy')
  expect(await page.getByLabel('What you have read').inputValue()).toBe('nobody')
})

inChromium('a session elsewhere is seen and ended, and a new password ends all others', async () => {
  const { page, name } = await web.person()
  const elsewhere = createSignIn(web.url)
  await elsewhere.signIn({ username: name, password, deviceName: 'An old phone' })
  await openPart(page, 'sessions')
  await byRole(page, 'Sign out An old phone').click()
  await told(page, 'Signed out there')
  await page.getByText('An old phone').waitFor({ state: 'detached' })
  await elsewhere.signIn({ username: name, password, deviceName: 'A new phone' })
  await openPart(page, 'security')
  await page.getByLabel('Current password').fill('a wrong long phrase')
  await page.getByLabel('New password').fill('another long enough phrase')
  await byRole(page, 'Change password').click()
  await page.getByText('This is not your password.').waitFor()
  await page.getByLabel('Current password').fill(password)
  await byRole(page, 'Change password').click()
  await told(page, 'The password is set')
  await openPart(page, 'sessions')
  expect(await page.getByText('A new phone').count()).toBe(0)
})

inChromium('whoever was blocked is listed, and let in again', async () => {
  const { page } = await web.person()
  const pest = await createSignIn(web.url).register({ username: nameOf('pest'), displayName: 'Pest' })
  await blockBy(page, pest.id)
  await openPart(page, 'blocked')
  await byRole(page, 'Unblock Pest').click()
  await told(page, 'Pest may write to you again')
  await page.getByText('You have blocked nobody.').waitFor()
})

inChromium('all data is downloaded, and an account that is to be deleted is kept after all', async () => {
  const { page } = await web.person()
  await openPart(page, 'account')
  const download = page.waitForEvent('download')
  await byRole(page, 'Download').click()
  expect((await download).suggestedFilename()).toBe('flotilla-export.zip')
  await byRole(page, 'Delete account').click()
  await expectAccessible(page)
  await page.getByRole('alertdialog').getByRole('button', { name: 'Delete account' }).click()
  await page.getByText('This account will be deleted on').waitFor()
  await byRole(page, 'Keep the account').click()
  await byRole(page, 'Delete account').waitFor()
})

inChromium('what is refused until one has confirmed who one is goes on after that', async () => {
  const { page } = await web.person()
  // As if the last sign-in were long ago, once.
  const refusal = { error: { code: 'reauthentication_required', message: 'confirm who you are' } }
  await page.route('**/v1/me/deletion', route => route.fulfill({ status: 403, json: refusal }), { times: 1 })
  await openPart(page, 'account')
  await byRole(page, 'Delete account').click()
  await page.getByRole('alertdialog').getByRole('button', { name: 'Delete account' }).click()
  const dialog = page.getByRole('dialog', { name: 'Confirm that it is you' })
  await dialog.getByLabel('Password', { exact: true }).fill(password)
  await dialog.getByRole('button', { name: 'Confirm' }).click()
  await page.getByText('This account will be deleted on').waitFor()
})

/** With the page's own session. */
async function blockBy(page: Page, user: string): Promise<void> {
  await page.evaluate(
    id =>
      new Promise((resolve, reject) => {
        const opened = indexedDB.open('flotilla-account')
        opened.addEventListener('success', () => {
          const request = opened.result.transaction('sessions').objectStore('sessions').get('current')
          request.addEventListener('success', () => {
            const { accessToken } = request.result as { accessToken: string }
            const headers = { authorization: `Bearer ${accessToken}` }
            fetch(`/v1/blocks/${id}`, { method: 'PUT', headers }).then(resolve, reject)
          })
        })
      }),
    user,
  )
}
