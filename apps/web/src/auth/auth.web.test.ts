/** Coming in by every way that a server of one's own has, and what is said when it does not work. */
import { createHmac } from 'node:crypto'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { expectAccessible, inChromium, nameOf, password, startWeb, turn, type Web } from '../web.testbed.ts'

let web: Web
beforeAll(async () => {
  const started = await startWeb({ REGISTRATION_CHECK: 'work', REGISTRATION_WORK_BITS: '8' })
  if (started !== undefined) web = started
})
afterEach(() => expect(web?.complaints() ?? []).toEqual([]))
afterAll(() => web?.stop())

const atHome = (page: Page) => page.waitForURL(`${web.url}/`)
const byRole = (page: Page, name: string) => page.getByRole('button', { name, exact: true })

async function leave(page: Page): Promise<void> {
  await page.goto(`${web.url}/settings`)
  await byRole(page, 'Sign out').click()
  await page.getByRole('alertdialog').getByRole('button', { name: 'Sign out' }).click()
  await page.getByText('Nothing of your account is left on this device').waitFor()
}

async function signIn(page: Page, username: string, secret: string): Promise<void> {
  await page.getByLabel('Name or email address').fill(username)
  await page.getByLabel('Password', { exact: true }).fill(secret)
  await byRole(page, 'Sign in').click()
}

inChromium(
  'by a password: signed up with proof of work, out, refused, and in again at the page that was asked for',
  async () => {
    const { page, name } = await web.person()
    await page.reload()
    await atHome(page)
    await leave(page)
    await page.goto(`${web.url}/settings/appearance`)
    await signIn(page, name, 'a wrong long phrase')
    await page.getByRole('alert').getByText('The name or the password is wrong.').waitFor()
    await expectAccessible(page)
    await signIn(page, name, password)
    await page.getByRole('heading', { name: 'Appearance' }).waitFor()
    expect(new URL(page.url()).pathname).toBe('/settings/appearance')
  },
)

inChromium('whoever signs out leaves nothing on the device, and no token ever lies in localStorage', async () => {
  const { page } = await web.person()
  const kept = () =>
    page.evaluate(async () => ({
      databases: (await indexedDB.databases()).map(one => one.name ?? ''),
      storage: JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage)]),
    }))
  await expect.poll(async () => (await kept()).databases.length).toBeGreaterThan(1)
  expect((await kept()).storage).not.toMatch(/token|eyJ/i)
  expect((await page.context().cookies()).find(one => one.name === 'flotilla_refresh')).toMatchObject({
    httpOnly: true,
  })
  await leave(page)
  await expect.poll(async () => (await kept()).databases).toEqual(['flotilla-account'])
  const session = await page.evaluate(
    () =>
      new Promise(resolve => {
        const opened = indexedDB.open('flotilla-account')
        opened.addEventListener('success', () => {
          const request = opened.result.transaction('sessions').objectStore('sessions').count()
          request.addEventListener('success', () => resolve(request.result))
        })
      }),
  )
  expect(session).toBe(0)
  await page.goto(web.url)
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
})

inChromium('who was signed in before an upgrade still is, and has left for good once they leave', async () => {
  const { page } = await web.person()
  // As the version before has left it; where no page of this version runs that could look meanwhile.
  await page.goto(`${web.url}/manifest.webmanifest`)
  await page.evaluate(async () => {
    const answer = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.addEventListener('success', () => resolve(request.result))
        request.addEventListener('error', () => reject(request.error))
      })
    const now = await answer(indexedDB.open('flotilla-account'))
    const sessions = now.transaction('sessions', 'readwrite').objectStore('sessions')
    const session = await answer(sessions.get('current'))
    await answer(sessions.delete('current'))
    const opening = indexedDB.open('flotilla-session', 1)
    opening.addEventListener('upgradeneeded', () => void opening.result.createObjectStore('kept'))
    const before = await answer(opening)
    await answer(before.transaction('kept', 'readwrite').objectStore('kept').put(session, 'session'))
    before.close()
    now.close()
  })
  await page.goto(web.url)
  await page.getByRole('button', { name: 'New conversation' }).first().waitFor()
  expect(new URL(page.url()).pathname).toBe('/')
  await leave(page)
  await page.goto(web.url)
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
})

inChromium('in one tab signed out, in all', async () => {
  const { page } = await web.person()
  const other = await page.context().newPage()
  await other.goto(`${web.url}/settings/profile`)
  await other.getByRole('heading', { name: 'Profile' }).waitFor()
  await leave(page)
  await other.getByRole('heading', { name: 'Sign in' }).waitFor()
})

inChromium('by a name alone, and a warning to whoever would lose it', async () => {
  const page = await web.open()
  const { name: taken } = await web.person()
  await page.goto(`${web.url}/signin?view=up`)
  await turn(page.getByRole('radio', { name: 'Only on this device' }))
  await page.getByLabel('Name', { exact: true }).fill(taken)
  await byRole(page, 'Create account').click()
  await page.getByText('This name is taken.').waitFor()
  expect(await page.getByLabel('Name', { exact: true }).getAttribute('aria-invalid')).toBe('true')
  await expectAccessible(page)
  await page.getByLabel('Name', { exact: true }).fill(nameOf('alone'))
  await byRole(page, 'Create account').click()
  await atHome(page)
  await page.goto(`${web.url}/settings`)
  await byRole(page, 'Sign out').click()
  await page.getByText('You have no way to sign in again').waitFor()
  await expectAccessible(page)
})

inChromium(
  'by mail: signed up with an address, in by a code, and by a new password when the old one is forgotten',
  async () => {
    const page = await web.open()
    const [name, email] = [nameOf('mailed'), `${nameOf('m')}@example.org`]
    await page.goto(`${web.url}/signin?view=up`)
    await page.getByLabel('Name', { exact: true }).fill(name)
    await turn(page.getByRole('radio', { name: 'By email' }))
    await page.getByLabel('Email address').fill(email)
    await byRole(page, 'Send a code').click()
    await page.getByLabel('Code from the mail').fill('000000')
    await expectAccessible(page)
    await page.getByLabel('Code from the mail').fill(await web.codeFor(email))
    await byRole(page, 'Create account').click()
    await atHome(page)
    await leave(page)

    await byRole(page, 'Email me a code').click()
    await page.getByLabel('Email address').fill(email)
    await byRole(page, 'Send a code').click()
    await page.getByLabel('Code from the mail').fill('000000')
    await byRole(page, 'Sign in').click()
    await page.getByText('This code is wrong or has expired.').waitFor()
    await page.goto(`${web.url}/signin?view=reset`)
    await page.getByLabel('Email address').fill(email)
    await byRole(page, 'Send a code').click()
    await page.getByLabel('New password').waitFor()
    await expectAccessible(page)
    // The third mail: one to sign up, one to sign in.
    await page.getByLabel('Code from the mail').fill(await web.codeFor(email, 3))
    await page.getByLabel('New password').fill('another long enough phrase')
    await byRole(page, 'Set it and sign in').click()
    await atHome(page)
  },
)

inChromium('by a passkey: signed up with one, and in again without a name', async () => {
  const page = await web.open()
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('WebAuthn.enable')
  await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
    },
  })
  await page.goto(`${web.url}/signin?view=up`)
  await page.getByLabel('Name', { exact: true }).fill(nameOf('key'))
  await turn(page.getByRole('radio', { name: 'With a passkey' }))
  await byRole(page, 'Create account').click()
  await atHome(page)
  await leave(page)
  await byRole(page, 'Use a passkey').click()
  await atHome(page)
})

inChromium('by an authenticator app beside the password, or by a recovery code', async () => {
  const { page, name } = await web.person()
  await page.goto(`${web.url}/settings/security`)
  await byRole(page, 'Turn on: Authenticator app').click()
  const secret = await page.locator('code').textContent()
  await expectAccessible(page)
  await page.getByLabel('Code from your authenticator app').fill(totp(secret ?? ''))
  await page.getByRole('dialog').or(page.getByRole('alertdialog')).getByRole('button', { name: 'Turn on' }).click()
  await byRole(page, 'I have kept them').waitFor()
  const codes = await page.getByRole('alertdialog').getByRole('listitem').allTextContents()
  await byRole(page, 'I have kept them').click()
  await leave(page)
  await signIn(page, name, password)
  await page.getByLabel('Code from your authenticator app').fill('000000')
  await byRole(page, 'Go on').click()
  await page.getByText('This code is wrong.').waitFor()
  await expectAccessible(page)
  await page.getByLabel('Another way').selectOption('Recovery code')
  await page.getByLabel('Recovery code', { exact: true }).fill(codes[0] ?? '')
  await byRole(page, 'Go on').click()
  await atHome(page)
})

/** RFC 6238, as authenticator apps do it. */
function totp(secret: string): string {
  const bits = Array.from(secret.replaceAll(/[\s=]/g, ''))
    .map(sign => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(sign).toString(2).padStart(5, '0'))
    .join('')
  const key = Buffer.from(bits.match(/.{8}/g)?.map(byte => Number.parseInt(byte, 2)) ?? [])
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)))
  const hash = createHmac('sha1', key).update(counter).digest()
  const at = hash.at(-1)! & 15
  return String((hash.readUInt32BE(at) & 0x7f_ff_ff_ff) % 1_000_000).padStart(6, '0')
}
