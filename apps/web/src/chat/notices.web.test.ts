/** What one is told of: the centre, the title, sounds, notifications of the system, and pushes. */
import { createECDH, randomBytes } from 'node:crypto'
import { type Client, createClient, createSignIn, FlotillaError } from '@flotilla/sdk'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { expectAccessible, inChromium, nameOf, password, startWeb, turn, type Web } from '../web.testbed.ts'

const keyPair = () => {
  const pair = createECDH('prime256v1')
  pair.generateKeys()
  return pair
}
const vapid = keyPair()

let web: Web
beforeAll(async () => {
  const started = await startWeb({
    VAPID_PUBLIC_KEY: vapid.getPublicKey('base64url'),
    VAPID_PRIVATE_KEY: vapid.getPrivateKey('base64url'),
    VAPID_SUBJECT: 'mailto:operator@harbour.example',
  })
  if (started !== undefined) web = started
})
afterEach(() => expect(web?.complaints() ?? []).toEqual([]))
afterAll(() => web?.stop())

const row = (page: Page, text: string) => page.locator('[data-conversation-pane] article', { hasText: text }).last()
const inList = (page: Page, text: string) => page.locator('[data-conversation]', { hasText: text })
const bell = (page: Page, name: string | RegExp = /^Notifications/) => page.getByRole('button', { name })
const centre = (page: Page) => page.getByRole('dialog', { name: 'Notifications' })
const switchOf = (page: Page, name: string) => page.getByRole('switch', { name })

/** Where a machine is shared, the server sheds what it cannot do at once; whoever asks again is answered. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++)
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof FlotillaError) || !error.retry || tries >= triesMax) throw error
      await new Promise(resolve => setTimeout(resolve, error.retryMs ?? 500))
    }
}
const triesMax = 20

const clients = new Map<string, Promise<Client>>()

/** Somebody with an account, as a program: a session of their own. */
function clientOf(name: string): Promise<Client> {
  const known = clients.get(name) ?? signedIn(name)
  clients.set(name, known)
  return known
}

async function signedIn(name: string): Promise<Client> {
  const account = createSignIn(web.url)
  await patiently(() => account.signIn({ username: name, password }))
  return createClient({ api: web.url, getToken: account.getToken })
}

/** Bob has the page open, and talks with Ann, who is a program. */
async function bobAndAnn(prepare: (page: Page) => Promise<unknown> = async () => {}) {
  const name = nameOf('ann')
  const account = createSignIn(web.url)
  await patiently(() => account.register({ username: name, displayName: name, password }))
  const ann = createClient({ api: web.url, getToken: account.getToken })
  const bob = await web.person(nameOf('bob'))
  await prepare(bob.page)
  const self = await patiently(() => ann.rest.userByName(bob.name))
  const { id: conversation } = await patiently(() => ann.rest.createDirect(self.id))
  const post = (to: string, body: object, more: { readonly thread?: number } = {}) => {
    const clientId = crypto.randomUUID()
    return patiently(() => ann.rest.post(to, { clientId, body: body as { text: string }, ...more }))
  }
  const say = (text: string, more: { readonly mentions?: readonly string[] } = {}) =>
    post(conversation, { text, ...more })
  await say('hello')
  await inList(bob.page, name).waitFor()
  return { ann, name, bob, self, conversation, say, post }
}

// ── the centre ───────────────────────────────────────────────────────────────────────────────────────────────────────

inChromium('a mention is counted and listed live, and leads to its message, which is then read', async () => {
  const { bob, self, say } = await bobAndAnn()
  const { page } = bob
  await bell(page, 'Notifications').click()
  await centre(page).getByText('Mentions, replies, reactions and reminders will be listed here.').waitFor()
  await say('look at this', { mentions: [self.id] })
  const notice = centre(page).locator('[data-notice="mention"] button')
  await expect.poll(() => notice.innerText()).toMatch(/mentioned you[\s\S]*look at this/)
  await page.keyboard.press('Escape')
  for (let nth = 0; nth < 70; nth++) await say(`filler ${nth}\nof two lines`)
  await bell(page, 'Notifications, 1 unread').click()
  await notice.focus()
  // A page that stands still for longer than a row is held: what is measured late still finds it held.
  await page.evaluate(`addEventListener('scroll', () => {
    for (const end = performance.now() + 300; performance.now() < end; );
  }, true)`)
  await page.keyboard.press('Enter')
  await expect.poll(() => isInView(page, 'look at this')).toBe(true)
  expect(await centre(page).count()).toBe(0)
  await bell(page, 'Notifications').waitFor()
})

/** It stands in the window of the messages. */
const isInView = (page: Page, text: string) =>
  page.evaluate<boolean>(`(() => {
    const pane = document.querySelector('[data-conversation-pane] [data-timeline]')?.getBoundingClientRect()
    const row = [...document.querySelectorAll('[data-conversation-pane] article')].find(one => one.textContent.includes(${JSON.stringify(text)}))
    const place = row?.getBoundingClientRect()
    return pane !== undefined && place !== undefined && place.top >= pane.top - 1 && place.bottom <= pane.bottom + 1
  })()`)

inChromium('a mention in a thread alone opens the thread', async () => {
  const { bob, self, conversation, name, say, post } = await bobAndAnn()
  const root = await say('a root')
  await post(conversation, { text: 'in the thread', mentions: [self.id] }, { thread: root.seq })
  await bell(bob.page, /1 unread/).click()
  await centre(bob.page).locator('[data-notice="mention"] button').click()
  await bob.page.getByRole('complementary', { name: 'Thread' }).getByText('in the thread').waitFor()
  expect(await inList(bob.page, name).getAttribute('aria-current')).toBe('page')
})

inChromium('a reply in a thread that one follows is told, listed and leads there, and is read with it', async () => {
  const { bob, conversation, name, post } = await bobAndAnn(spied)
  const { page } = bob
  await switchOn(page, desktop)
  const own = await clientOf(bob.name)
  const clientId = crypto.randomUUID()
  const root = await patiently(() => own.rest.post(conversation, { clientId, body: { text: 'a root' } }))
  await page.goto(web.url)
  await inList(page, 'a root').waitFor()
  await post(conversation, { text: 'an answer' }, { thread: root.seq })
  await expect.poll(() => shownOn(page)).toEqual([{ title: name, body: 'In a thread: an answer' }])
  await post(conversation, { text: 'another answer' }, { thread: root.seq })
  // The other one is that of the session that has just begun.
  await bell(page, /2 unread/).click()
  const notice = centre(page).locator('[data-notice="thread_reply"] button')
  await expect.poll(() => notice.innerText()).toMatch(/replied in a thread that you follow[\s\S]*another answer/)
  await notice.click()
  const thread = page.getByRole('complementary', { name: 'Thread' })
  await thread.getByText('another answer').waitFor()
  await bell(page, /1 unread/).waitFor()
  // As a push leads there.
  await page.goto(`${web.url}/c/${conversation}?thread=${root.seq}`)
  await thread.getByText('another answer').waitFor()
  await row(page, 'a root').waitFor()
})

inChromium('what one has read is read on every page, one by one or all at once', async () => {
  const { bob, self, say } = await bobAndAnn()
  const other = await bob.page.context().newPage()
  await other.goto(web.url)
  for (const text of ['one', 'two', 'three']) await say(text, { mentions: [self.id] })
  await bell(other, /3 unread/).waitFor()
  await bell(bob.page, /3 unread/).click()
  await expect.poll(() => centre(bob.page).locator('[data-notice]').count()).toBe(3)
  // Arrows move between them.
  await centre(bob.page).locator('[data-notice] button').first().focus()
  await bob.page.keyboard.press('ArrowDown')
  const focused = centre(bob.page).locator('[data-notice] button:focus')
  await expect.poll(() => focused.innerText()).toContain('two')
  await centre(bob.page).getByRole('button', { name: 'Mark all as read' }).click()
  await bell(other, 'Notifications').waitFor()
  await expect.poll(() => centre(bob.page).getByRole('button', { name: 'Mark all as read' }).count()).toBe(0)
})

inChromium('pages follow each other, and one that fails says so and is tried again', async () => {
  const { bob, self, say } = await bobAndAnn()
  for (let nth = 0; nth < 25; nth++) await say(`mention ${nth}`, { mentions: [self.id] })
  await bell(bob.page, /25 unread/).waitFor()
  const refusal = { error: { code: 'internal', message: 'unable to' } }
  await bob.page.route('**/v1/notifications?*', route => route.fulfill({ status: 500, json: refusal }))
  await bell(bob.page).click()
  await centre(bob.page).getByRole('alert').or(centre(bob.page).getByText('went wrong')).first().waitFor()
  await bob.page.unroute('**/v1/notifications?*')
  await centre(bob.page).getByRole('button', { name: 'Try again' }).click()
  await expect.poll(() => centre(bob.page).locator('[data-notice]').count()).toBe(20)
  await centre(bob.page).getByRole('button', { name: 'Show more' }).click()
  await expect.poll(() => centre(bob.page).locator('[data-notice]').count()).toBe(25)
  expect(await centre(bob.page).getByRole('button', { name: 'Show more' }).count()).toBe(0)
})

inChromium('who asks to be a contact is answered in place', async () => {
  const { ann, bob, self } = await bobAndAnn()
  await patiently(() => ann.rest.contacts.request({ user: self.id }))
  await bell(bob.page, /1 unread/).click()
  await centre(bob.page).getByRole('button', { name: 'Accept' }).click()
  await expect
    .poll(async () => (await patiently(() => ann.rest.contacts.list())).contacts.map(one => one.user.id))
    .toEqual([self.id])
  await expect.poll(() => centre(bob.page).getByRole('button', { name: 'Accept' }).count()).toBe(0)
})

// ── the title ────────────────────────────────────────────────────────────────────────────────────────────────────────

inChromium(
  'the title and the icon count what waits, without what is muted, and reading and leaving clear them',
  async () => {
    const { ann, bob, self, say, post } = await bobAndAnn(page => page.addInitScript(badgeSpy))
    const { page } = bob
    await page.reload()
    await say('one more')
    await expect.poll(() => page.title()).toBe('(2) Flotilla')
    await expect.poll(() => page.evaluate('window.badge')).toBe(2)
    const group = await patiently(() => ann.rest.createGroup('Crew', [self.id]))
    await inList(page, 'Crew').waitFor()
    const own = await clientOf(bob.name)
    await patiently(() => own.rest.mute(group.id, Date.now() + 3_600_000))
    await post(group.id, { text: 'noise' })
    await inList(page, 'noise').waitFor()
    expect(await page.title()).toBe('(2) Flotilla')
    await inList(page, 'one more').click()
    await expect.poll(() => page.title()).toBe('Flotilla')
    await expect.poll(() => page.evaluate('window.badge')).toBe(0)
    await page.goto(`${web.url}/settings`)
    await say('while away')
    await expect.poll(() => page.title()).toBe('(1) Flotilla')
    await signOut(page)
    await expect.poll(() => page.title()).toBe('Flotilla')
  },
)

const badgeSpy = `navigator.setAppBadge = async count => { window.badge = count }`

async function signOut(page: Page): Promise<void> {
  await page.goto(`${web.url}/settings`)
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('alertdialog').getByRole('button', { name: 'Sign out' }).click()
  await page.waitForURL(/\/signin/)
}

// ── sounds and notifications of the system ───────────────────────────────────────────────────────────────────────────

/** Notes what is shown and heard, and lets a test hide the page. */
const noticeSpy = `(() => {
  window.shown = []
  window.tones = 0
  window.isHidden = false
  const Real = Notification
  window.Notification = class extends Real {
    constructor(title, options) {
      super(title, options)
      window.shown.push({ title, body: options.body })
    }
  }
  const Tone = OscillatorNode
  window.OscillatorNode = class extends Tone {
    constructor(...given) {
      super(...given)
      window.tones++
    }
  }
  Object.defineProperty(Document.prototype, 'visibilityState', { get: () => window.isHidden ? 'hidden' : 'visible' })
  window.hide = isHidden => {
    window.isHidden = isHidden
    document.dispatchEvent(new Event('visibilitychange'))
  }
})()`

const spied = async (page: Page) => {
  await page.context().grantPermissions(['notifications'])
  await page.context().addInitScript(noticeSpy)
}
const shownOn = (page: Page) => page.evaluate<{ title: string; body: string }[]>('window.shown')

async function switchOn(page: Page, name: string): Promise<void> {
  await page.goto(`${web.url}/settings/notifications`)
  await turn(switchOf(page, name))
  await expect.poll(() => switchOf(page, name).isChecked()).toBe(true)
}

const desktop = 'Notifications while a page is open'

inChromium(
  'a page in the background shows messages, not those of a muted conversation, nor what is being read',
  async () => {
    const { bob, name, conversation, say } = await bobAndAnn(spied)
    const { page } = bob
    await switchOn(page, desktop)
    await page.goto(`${web.url}/c/${conversation}`)
    await row(page, 'hello').waitFor()
    await say('being read')
    await row(page, 'being read').waitFor()
    await page.evaluate('window.hide(true)')
    await say('in the **background**')
    await expect.poll(() => shownOn(page)).toEqual([{ title: name, body: 'in the background' }])
    const { rest } = await clientOf(bob.name)
    await patiently(() => rest.mute(conversation, Date.now() + 3_600_000))
    await page.locator('[data-conversation] svg').first().waitFor()
    await say('muted')
    await row(page, 'muted').waitFor()
    await patiently(() => rest.mute(conversation, null))
    await page.locator('[data-conversation] svg').first().waitFor({ state: 'detached' })
    await say('loud again')
    await expect.poll(() => shownOn(page).then(all => all.map(({ body }) => body))).toContain('loud again')
    expect((await shownOn(page)).map(({ body }) => body)).toEqual(['in the background', 'loud again'])
    // What was caught up with is no news.
    await page.context().setOffline(true)
    await page.getByText('No network.').waitFor()
    await say('of before')
    await page.context().setOffline(false)
    await row(page, 'of before').waitFor()
    expect((await shownOn(page)).map(({ body }) => body)).not.toContain('of before')
  },
)

inChromium('a reminder that is due is shown once, also in a muted conversation, and leads to its message', async () => {
  const { bob, conversation, say } = await bobAndAnn(spied)
  const { page } = bob
  await switchOn(page, desktop)
  await page.goto(web.url)
  await page
    .context()
    .newPage()
    .then(other => other.goto(web.url))
  const { seq } = await say('remember the milk')
  const { rest } = await clientOf(bob.name)
  await patiently(() => rest.mute(conversation, Date.now() + 3_600_000))
  await patiently(() => rest.reminders.set(conversation, seq, Date.now() + 3_000))
  const all = async () => {
    const shown = await Promise.all(page.context().pages().map(shownOn))
    return shown.flat().filter(({ title }) => title === 'Reminder')
  }
  await expect.poll(all, { timeout: 30_000 }).toEqual([{ title: 'Reminder', body: 'remember the milk' }])
  await bell(page, /unread/).click()
  await centre(page).locator('[data-notice="reminder"]').getByText('remember the milk').waitFor()
  // As a push leads there.
  await page.goto(`${web.url}/c/${conversation}?message=${seq}`)
  await row(page, 'remember the milk').waitFor()
})

inChromium('of several tabs one tells, and none while another is read', async () => {
  const { bob, conversation, say } = await bobAndAnn(spied)
  const { page } = bob
  await switchOn(page, desktop)
  await page.goto(web.url)
  const other = await page.context().newPage()
  await other.goto(`${web.url}/c/${conversation}`)
  await row(other, 'hello').waitFor()
  await page.evaluate('window.hide(true)')
  await say('read there')
  await row(other, 'read there').waitFor()
  await inList(page, 'read there').waitFor()
  await other.evaluate('window.hide(true)')
  await say('read nowhere')
  const all = async () => [...(await shownOn(page)), ...(await shownOn(other))].map(({ body }) => body)
  await expect.poll(all).toEqual(['read nowhere'])
  await inList(page, 'read nowhere').waitFor()
  await row(other, 'read nowhere').waitFor()
  expect(await all()).toEqual(['read nowhere'])
})

inChromium('a sound is heard unless it is switched off, and in quiet hours nothing is', async () => {
  const { bob, say } = await bobAndAnn(spied)
  const { page } = bob
  const toHome = async () => {
    await page.goto(`${web.url}/settings`)
    // Browsers let nothing be heard before the page is touched.
    await page.getByRole('link', { name: 'To the conversations' }).click()
    await inList(page, 'hello').or(page.locator('[data-conversation]')).first().waitFor()
  }
  await toHome()
  await say('with a sound')
  await expect.poll(() => page.evaluate('window.tones')).toBe(2)
  await page.goto(`${web.url}/settings/notifications`)
  await turn(switchOf(page, 'A sound for new messages'), false)
  await toHome()
  await say('without one')
  await inList(page, 'without one').waitFor()
  await page.goto(`${web.url}/settings/notifications`)
  await turn(switchOf(page, 'A sound for new messages'))
  const { rest } = await clientOf(bob.name)
  await patiently(() => rest.profile.changeSettings({ quietHours: { from: '00:00', until: '23:59', zone: 'UTC' } }))
  await toHome()
  await say('in the quiet')
  await inList(page, 'in the quiet').waitFor()
  await patiently(() => rest.profile.changeSettings({ quietHours: null }))
  await toHome()
  await say('loud again')
  await expect.poll(() => page.evaluate('window.tones')).toBe(2)
})

// ── pushes ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** No push service can be reached: what one would answer. The rest is as it is. */
const subscribeStub = `PushManager.prototype.subscribe = async function ({ applicationServerKey }) {
  window.subscribedWith = [...new Uint8Array(applicationServerKey)]
  return {
    options: { applicationServerKey },
    toJSON: () => (${JSON.stringify({
      endpoint: `https://fcm.googleapis.com/fcm/send/${randomBytes(12).toString('base64url')}`,
      expirationTime: null,
      keys: { p256dh: keyPair().getPublicKey('base64url'), auth: randomBytes(16).toString('base64url') },
    })}),
    unsubscribe: async () => true,
  }
}`
const push = 'Notifications while no page is open'
const devicesOf = async (name: string) => {
  const { rest } = await clientOf(name)
  const { devices } = await patiently(() => rest.devices.list())
  return devices.map(({ platform, provider }) => `${platform} ${provider}`)
}
const workersOf = (page: Page) =>
  page.evaluate<number>('navigator.serviceWorker.getRegistrations().then(all => all.length)')

/** Writes down in the worker's `did` what it has done about each push. */
const witness = `(() => {
  globalThis.did = []
  const tell = (of, name, said) => {
    const call = of[name]
    of[name] = async function (...args) {
      const answer = await call.apply(this, args)
      did.push(said(...args))
      return answer
    }
  }
  tell(registration, 'showNotification', (title, { body }) => 'showed ' + body)
  tell(PushManager.prototype, 'getSubscription', () => 'looked for its subscription')
})()`

async function pushed() {
  const { page, name } = await web.person(nameOf('bob'))
  await page.context().grantPermissions(['notifications'])
  await page.context().addInitScript(subscribeStub)
  await page.goto(`${web.url}/settings/notifications`)
  expect(await workersOf(page)).toBe(0)
  await switchOn(page, push)
  await expect.poll(() => devicesOf(name)).toEqual(['web webpush'])
  return { page, name }
}

inChromium('the switch for pushes registers this browser with the server’s key, and takes it back', async () => {
  const { page, name } = await pushed()
  expect(await page.evaluate('window.subscribedWith')).toEqual([...vapid.getPublicKey()])
  expect(await workersOf(page)).toBe(1)
  // Each start renews it.
  await page.reload()
  await expect.poll(() => switchOf(page, push).isChecked()).toBe(true)
  expect(await devicesOf(name)).toEqual(['web webpush'])
  await turn(switchOf(page, push), false)
  await expect.poll(() => devicesOf(name)).toEqual([])
  await expect.poll(() => workersOf(page)).toBe(0)
})

inChromium('signing out takes it back, and the next person is not registered unasked', async () => {
  const { page, name } = await pushed()
  await signOut(page)
  await expect.poll(() => devicesOf(name)).toEqual([])
  await expect.poll(() => workersOf(page)).toBe(0)
  await page.goto(`${web.url}/signin?view=up`)
  const next = nameOf('eve')
  await page.getByLabel('Name', { exact: true }).fill(next)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Create account' }).click()
  await page.waitForURL(`${web.url}/`)
  await page.goto(`${web.url}/settings/notifications`)
  expect(await switchOf(page, push).isChecked()).toBe(false)
  expect(await devicesOf(next)).toEqual([])
})

inChromium(
  'the worker shows a push and leads to its conversation; of somebody who has left it shows nothing',
  async () => {
    const { page, name } = await pushed()
    const { rest } = await clientOf(name)
    const { id: conversation } = await patiently(() => rest.createGroup('Elsewhere', []))
    const cdp = await page.context().newCDPSession(page)
    let registrationId = ''
    cdp.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      registrationId = registrations[0]?.registrationId ?? registrationId
    })
    await cdp.send('ServiceWorker.enable')
    await expect.poll(() => registrationId).not.toBe('')
    const [worker = await page.context().waitForEvent('serviceworker')] = page.context().serviceWorkers()
    await worker!.evaluate(witness)
    const did = () => worker!.evaluate<string[]>('did')
    const deliver = async (body: string) => {
      const before = await did()
      const data = JSON.stringify({ title: 'Ann', body, conversation, badge: '2' })
      await cdp.send('ServiceWorker.deliverPushMessage', { origin: web.url, registrationId, data })
      await expect.poll(async () => (await did()).length).toBeGreaterThan(before.length)
    }
    const shown = () =>
      worker!.evaluate<string[]>(`registration.getNotifications().then(all => all.map(({ body }) => body))`)
    // Asked for those that it shows, Chromium forgets those that it is about to show.
    await expect.poll(async () => deliver('New message').then(shown), { interval: 1_000 }).toEqual(['New message'])
    await worker!.evaluate(`registration.getNotifications().then(([notification]) =>
    dispatchEvent(new NotificationEvent('notificationclick', { notification })))`)
    await page.waitForURL(`${web.url}/c/${conversation}`)
    await expect.poll(shown).toEqual([])
    // As when a push is under way while the person signs out. An open page would sign in again by its cookie.
    await page.goto('about:blank')
    await worker!.evaluate(`new Promise((done, fail) => {
    const opened = indexedDB.open('flotilla-account')
    opened.onerror = fail
    opened.onsuccess = () => {
      const work = opened.result.transaction('sessions', 'readwrite')
      work.objectStore('sessions').delete('current')
      work.oncomplete = done
    }
  })`)
    await deliver('for nobody')
    expect((await did()).at(-1)).toBe('looked for its subscription')
    expect(await did()).not.toContain('showed for nobody')
    expect(await shown()).toEqual([])
  },
)

// ── for everybody ────────────────────────────────────────────────────────────────────────────────────────────────────

inChromium.each(['light', 'dark'] as const)('the centre and its settings are accessible, on %s', async colorScheme => {
  const { bob, name, self, say } = await bobAndAnn(page => page.emulateMedia({ colorScheme }))
  const { page } = bob
  await bell(page, 'Notifications').click()
  await centre(page).getByText('will be listed here').waitFor()
  await expectAccessible(page)
  await say('look', { mentions: [self.id] })
  await centre(page).locator('[data-notice="mention"]').getByText('look').waitFor()
  await expectAccessible(page)
  await page.keyboard.press('Escape')
  // The tooltip of the bell, which has the focus again, stands beside all that is a part of the page.
  await inList(page, name).focus()
  await page.getByRole('tooltip').waitFor({ state: 'detached' })
  await expectAccessible(page)
  await page.goto(`${web.url}/settings/notifications`)
  await switchOf(page, push).waitFor()
  await expectAccessible(page)
})
