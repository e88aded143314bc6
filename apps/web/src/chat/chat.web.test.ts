/** Conversations, as people see them: two browsers, each with somebody in it, on all of Flotilla. */
import { type Climbed, climb, sendAndLook } from '@flotilla/testing'
import type { Locator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { expectAccessible, inChromium, nameOf, noted, password, startWeb, turn, type Web } from '../web.testbed.ts'
import { begin, choose, clientOf, composer, fill, inList, row, say, twoWhoTalk } from './chat.testbed.ts'

let web: Web
beforeAll(async () => {
  const started = await startWeb()
  if (started !== undefined) web = started
})
afterEach(() => expect(web?.complaints() ?? []).toEqual([]))
afterAll(() => web?.stop())

const within = { timeout: 15_000 }
const textsOf = (page: Page) => page.locator('[data-conversation-pane] article [data-text]').allInnerTexts()

inChromium('two people talk: answer, react, edit, delete, and see how far it has got', async () => {
  const { ann, bob } = await twoWhoTalk(web)
  await row(ann.page, 'Hello').locator('[data-ticks="read"]').waitFor()

  // It is gone again after a while: the page looks for it from before on.
  await Promise.all([
    ann.page.locator('[data-conversation-pane] header').getByText('typing…').waitFor(),
    composer(bob.page).pressSequentially('Hi'),
  ])
  await composer(bob.page).fill('')
  await choose(bob.page, 'Hello', 'Reply')
  await say(bob.page, 'Hi **there**, see https://example.org')
  const answer = row(ann.page, 'Hi there')
  await expect.poll(() => answer.locator('[data-quote]').innerText(), within).toContain('Hello')
  expect(await answer.getByRole('link').getAttribute('rel')).toBe('noopener noreferrer')

  await row(ann.page, 'Hi there').click({ button: 'right', position: { x: 60, y: 20 } })
  await ann.page.getByRole('button', { name: 'React with 👍' }).click()
  await row(bob.page, 'Hi there').locator('[data-reaction="👍"]').click()
  await expect.poll(() => row(ann.page, 'Hi there').locator('[data-reaction]').innerText(), within).toContain('2')

  await composer(bob.page).press('ArrowUp')
  await expect.poll(() => composer(bob.page).inputValue()).toContain('Hi **there**')
  await say(bob.page, 'Good morning')
  await expect.poll(() => row(ann.page, 'Good morning').innerText(), within).toContain('edited')

  await choose(bob.page, 'Good morning', 'Delete')
  await bob.page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click()
  await row(ann.page, 'This message was deleted.').waitFor()
  expect(await row(ann.page, 'Good morning').count()).toBe(0)
})

inChromium('who is offline writes on: it waits, survives a reload, and goes out in order', async () => {
  const { ann, bob } = await twoWhoTalk(web)
  await bob.page.context().setOffline(true)
  await say(bob.page, 'first, from afar')
  await say(bob.page, 'second, from afar')
  await expect
    .poll(() => row(bob.page, 'second, from afar').locator('[data-ticks]').getAttribute('data-ticks'))
    .toBe('sending')
  await say(ann.page, 'are you there?')
  await bob.page.getByText('No network.').waitFor()
  await expect.poll(() => row(ann.page, 'are you there?').getAttribute('data-state'), within).toBe('sent')
  await bob.page.context().setOffline(false)
  await row(ann.page, 'second, from afar').waitFor()
  await row(bob.page, 'are you there?').waitFor()
  const wanted = (page: Page) => async () =>
    (await textsOf(page)).map(text => /first|second|there\?/.exec(text)?.[0]).filter(Boolean)
  await expect.poll(wanted(ann.page), within).toEqual(['there?', 'first', 'second'])
  await expect.poll(wanted(bob.page), within).toEqual(['there?', 'first', 'second'])
  await bob.page.reload()
  await expect.poll(wanted(bob.page), within).toEqual(['there?', 'first', 'second'])
})

inChromium('what was seen is marked as read, though the page closes before the marks are gathered', async () => {
  const { ann, bob } = await twoWhoTalk(web)
  await row(bob.page, 'Hello').waitFor()
  // Looked at for long enough to count.
  await row(ann.page, 'Hello').locator('[data-ticks="read"]').waitFor()
  const left = bob.page
    .evaluate(
      `new Promise(() => {
        let frames = 0
        const look = () => {
          if (document.querySelector('[data-conversation-pane]').textContent.includes('the last words')) frames++
          if (frames < 4) return requestAnimationFrame(look)
          location.href = 'about:blank'
        }
        look()
      })`,
    )
    .catch(() => {})
  await say(ann.page, 'the last words')
  await left
  await row(ann.page, 'the last words').locator('[data-ticks="read"]').waitFor()
})

inChromium(
  'what one sends is seen in the same frame, from wherever one reads, and its row stays the same',
  async () => {
    const { ann, bob } = await twoWhoTalk(web)
    await fill(
      web,
      bob.name,
      Array.from({ length: 60 }, (_, nth) => `filler ${nth}\nof two lines`),
    )
    await row(ann.page, 'filler 59').waitFor()
    for (let nth = 0; nth < 20; nth++) {
      // Every other time from further up, or from far away.
      if (nth % 2 === 1) {
        const upPx = nth % 4 === 1 ? 700 : 4_000
        await ann.page.evaluate(
          `document.querySelector('[data-conversation-pane] [data-timeline]').scrollTop -= ${upPx}`,
        )
        await painted(ann.page)
      }
      const seen = await ann.page.evaluate(sendAndLook(`mine ${nth}.`))
      expect(seen, `send ${nth} ${JSON.stringify(seen)}`).toMatchObject({ isSeen: true, isEmpty: true })
    }
    await expect.poll(() => row(ann.page, 'mine 19.').getAttribute('data-state'), within).toBe('sent')
    const isSame = await row(ann.page, 'mine 19.').evaluate(element => 'wasThere' in element)
    expect(isSame).toBe(true)
  },
)

inChromium('older pages move no row that is on the screen by more than a pixel', async () => {
  const { ann, bob } = await twoWhoTalk(web)
  await ann.page.close()
  const texts = [
    'short',
    'A longer one, that takes more than a line on most screens: '.repeat(5),
    '```ts\nconst a = 1\nconst b = 2\n```',
    'مرحبا',
    '- one\n- two\n- three',
  ]
  await fill(web, bob.name, [...Array.from({ length: 300 }, (_, nth) => texts[nth % texts.length]!), 'the last one'])
  // On a device that holds nothing of it yet.
  const page = await web.open()
  await page.goto(`${web.url}/signin`)
  await page.getByLabel('Name or email address').fill(ann.name)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await inList(page, bob.name).click()
  const latest = page.locator('[data-latest]')
  await row(page, 'the last one').or(latest).first().waitFor()
  // Where much is unread it opens further up.
  if (await latest.isVisible()) await latest.click()
  await row(page, 'the last one').waitFor()
  const climbed = await page.evaluate<Climbed>(climb())
  expect(climbed.worst, JSON.stringify(climbed)).toBeLessThanOrEqual(1)
  expect(climbed.prepended).toBeGreaterThanOrEqual(3)
  expect(climbed.blank).toBe(0)
})

inChromium.each(['en-GB', 'de-DE', 'ar'])('what the list is called is never cut, in %s', async locale => {
  const ann = await web.person(nameOf('ann'))
  await ann.page.close()
  const page = await web.open({ locale })
  await page.goto(`${web.url}/signin`)
  await page.locator('input').nth(0).fill(ann.name)
  await page.locator('input').nth(1).fill(password)
  await page.keyboard.press('Enter')
  await page.waitForURL(`${web.url}/`)
  const heading = page.getByRole('navigation').getByRole('heading', { level: 2 })
  const look = () =>
    heading.evaluate(element => {
      const [own, around] = [element.getBoundingClientRect(), element.parentElement!.getBoundingClientRect()]
      const isSeen = own.top < around.bottom
      return { isSeen, isWhole: own.left >= around.left - 1 && own.right <= around.right + 1 }
    })
  for (const width of [320, 390, 600, 820, 1_024, 1_440, 2_560]) {
    await page.setViewportSize({ width, height: 800 })
    const { isSeen, isWhole } = await look()
    expect(!isSeen || isWhole, `${width} px`).toBe(true)
    if (width >= 1_024) expect(isSeen, `${width} px`).toBe(true)
    expect(await page.evaluate('document.documentElement.scrollWidth'), `${width} px`).toBeLessThanOrEqual(width)
  }
})

/** What is wider than there is room for, on the page or in what scrolls down; what scrolls sideways by design says so by its role. */
const tooWide = (page: Page) =>
  page.evaluate<string[]>(`[...document.querySelectorAll('html, body, body *')].filter(one => {
    const { overflowX, overflowY } = getComputedStyle(one)
    const isPage = one === document.documentElement
    return one.scrollWidth > one.clientWidth + 1 && (isPage || (overflowX === 'auto' && overflowY === 'auto' && one.matches(':not(pre, pre *, [role=radiogroup], textarea)')))
  }).map(one => one.outerHTML.slice(0, 200))`)

inChromium('nothing scrolls sideways on a page of 320 pixels', async () => {
  const { ann, bob } = await twoWhoTalk(web)
  const { page } = ann
  await page.setViewportSize({ width: 320, height: 640 })
  await fill(web, bob.name, [
    `https://example.org/${'a-long-path/'.repeat(20)}`,
    'Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenfabrikantentochter',
    `\`\`\`ts\nconst long = '${'x'.repeat(200)}'\n\`\`\``,
    `${'| a column '.repeat(12)}|`,
  ])
  const client = await clientOf(web, bob.name)
  const { conversations } = await client.rest.conversations()
  const conversation = conversations.find(one => one.memberCount === 2)!.id
  await client.start()
  const emails = [`${'long.'.repeat(12)}name@bergprint.example`]
  const sent = [
    client.send({ conversation, body: { type: 'contact', name: 'Jonas Berg', emails, fallback: 'Jonas Berg' } }),
    client.send({ conversation, body: { type: 'location', latitude: 59, longitude: 18, fallback: 'A place' } }),
  ]
  await Promise.all(sent.map(one => one.acknowledged))
  await client.stop()
  await row(page, 'Jonas Berg').waitFor()
  expect(await tooWide(page)).toEqual([])
  // A row keeps within its bubble.
  const card = row(page, 'Jonas Berg')
  const isWithin = await card.evaluate(article => {
    const edge = article.getBoundingClientRect().right
    return [...article.querySelectorAll('a, div')].every(one => one.getBoundingClientRect().right <= edge + 1)
  })
  expect(isWithin).toBe(true)
  // A menu that has no room for all of it scrolls within its frame.
  await page.setViewportSize({ width: 320, height: 420 })
  await card.click({ button: 'right', position: { x: 60, y: 8 } })
  const menu = page.getByRole('menu')
  const reachesOut = () =>
    menu.evaluate(list => {
      const frame = list.closest('[data-placement]')!
      return list.getBoundingClientRect().bottom - frame.getBoundingClientRect().bottom
    })
  await expect.poll(reachesOut).toBeLessThanOrEqual(0)
  await page.keyboard.press('Escape')
  await menu.waitFor({ state: 'detached' })
  await page.setViewportSize({ width: 320, height: 640 })
  await page.locator('[data-conversation-pane] header h2').click()
  await page.getByRole('complementary').waitFor()
  expect(await tooWide(page)).toEqual([])
  const addresses = [
    '',
    'contacts',
    'join',
    'settings',
    'settings/profile',
    'settings/appearance',
    'settings/notifications',
  ]
  for (const path of [...addresses, 'settings/privacy', 'settings/security', 'settings/sessions', 'settings/account']) {
    await page.goto(`${web.url}/${path}`)
    await page.getByRole('heading').first().waitFor()
    expect(await tooWide(page), path).toEqual([])
  }
  const guest = await web.open({ viewport: { width: 320, height: 640 } })
  for (const path of ['signin', 'signin?view=up']) {
    await guest.goto(`${web.url}/${path}`)
    await guest.getByRole('heading').first().waitFor()
    expect(await tooWide(guest), path).toEqual([])
  }
})

inChromium('where the system forces its colours, what is chosen is still told apart', async () => {
  const { ann } = await twoWhoTalk(web)
  const { page } = ann
  await page.emulateMedia({ forcedColors: 'active' })
  const fillOf = (selector: string) =>
    page
      .locator(selector)
      .first()
      .evaluate(element => getComputedStyle(element).backgroundColor)
  expect(await fillOf('[data-conversation][aria-current]')).not.toBe(await fillOf('body'))
  expect(await fillOf('nav label:has(:checked)')).not.toBe(await fillOf('nav label:not(:has(:checked))'))
  await expectAccessible(page)
  await page.goto(`${web.url}/settings/notifications`)
  const track = (isOn: boolean) =>
    `label${isOn ? '' : ':not'}${isOn ? '[data-selected]' : '([data-selected])'}:has([role=switch]) > span:last-of-type`
  await page.locator(track(true)).first().waitFor()
  expect(await fillOf(track(true))).not.toBe(await fillOf(track(false)))
  await expectAccessible(page)
})

/** What has been drawn by now is on the screen. */
const painted = (page: Page) =>
  page.evaluate('new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))')

/** Where the rows are that are wholly in view. */
const placesOf = (page: Page) =>
  page.locator('[data-conversation-pane] [data-timeline]').evaluate(scroller => {
    const { top, bottom } = scroller.getBoundingClientRect()
    const rows = [...scroller.querySelectorAll<HTMLElement>('[data-key]')].map(
      row => [row.dataset['key']!, row.getBoundingClientRect()] as const,
    )
    const seen = rows.filter(([, place]) => place.top > top + 60 && place.bottom < bottom)
    return seen.map(([key, place]) => [key, place.top] as const)
  })

inChromium(
  'what is pinned may be told late: no row moves, and from there a send shows the end in the same frame',
  async () => {
    const { ann, bob } = await twoWhoTalk(web)
    await fill(
      web,
      bob.name,
      Array.from({ length: 450 }, (_, nth) => `filler ${nth}\nof two lines`),
    )
    const client = await clientOf(web, bob.name)
    const { conversations } = await client.rest.conversations()
    const { id } = conversations.find(one => one.memberCount === 2)!
    const [first] = (await client.rest.history(id, { after: 0, limit: 10 })).entries.filter(
      ({ event }) => event === 'message.new',
    )
    let tell = () => {}
    const isWanted = new Promise<void>(resolve => (tell = resolve))
    await client.start()
    await client.pin(id, first!.seq).acknowledged
    await client.stop()
    await ann.page.route(/\/pins(\?|$)/, async route => {
      await isWanted
      await route.continue()
    })
    await ann.page.reload()
    const latest = ann.page.locator('[data-latest]')
    await row(ann.page, 'filler').waitFor()
    // By hand: what a script does may be taken for the layout's.
    await ann.page.locator('[data-conversation-pane] [data-timeline]').hover()
    await ann.page.mouse.wheel(0, -900)
    await latest.waitFor()
    await ann.page.waitForTimeout(1_000)
    const before = await placesOf(ann.page)
    expect(before.length).toBeGreaterThan(3)
    tell()
    const bar = ann.page.getByRole('button', { name: 'Pinned' })
    await bar.waitFor()
    await painted(ann.page)
    const after = new Map(await placesOf(ann.page))
    for (const [key, top] of before) if (after.has(key)) expect(Math.abs(after.get(key)! - top)).toBeLessThanOrEqual(1)
    expect(after.size).toBeGreaterThan(3)

    await bar.click()
    await row(ann.page, `Hello ${bob.name}`).waitFor()
    const seen = await ann.page.evaluate(sendAndLook('from far away.'))
    expect(seen).toMatchObject({ isSeen: true, isEmpty: true })
    await row(ann.page, 'filler 449').waitFor()
    await ann.page.unrouteAll({ behavior: 'wait' })
  },
)

inChromium.each(['light', 'dark'] as const)('everything can be used by everybody, on %s', async colorScheme => {
  const bob = await web.person(nameOf('bob'))
  const { page, name } = await web.person(nameOf('ann'), { colorScheme })
  await page.getByRole('heading', { level: 1 }).waitFor()
  await expectAccessible(page)
  await begin(page, bob.name)
  await say(page, `A plan: https://example.org and \`code\`\n- a\n- b`)
  // Delivered, too, as soon as the other page has it.
  await row(page, 'A plan').locator('[data-ticks]:not([data-ticks="sending"])').waitFor()
  await expectAccessible(page)
  // By keys alone: to the messages, on one, what can be done, and back to writing.
  await page.keyboard.press('Shift+Tab')
  await page.locator('[data-timeline]').focus()
  await page.keyboard.press('ArrowUp')
  await expect.poll(() => page.evaluate('document.activeElement.matches("article")')).toBe(true)
  await page.keyboard.press('Enter')
  await page.getByRole('menu').waitFor()
  await expectAccessible(page)
  await page.keyboard.press('Escape')
  await page.getByRole('menu').waitFor({ state: 'detached' })
  await page.locator('article[data-key]').last().focus()
  await page.keyboard.press('Escape')
  await expect.poll(() => page.evaluate('document.activeElement.tagName')).toBe('TEXTAREA')
  await page.locator('[data-timeline]').focus()
  await page.keyboard.press('?')
  await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor()
  await expectAccessible(page)
  await page.keyboard.press('Escape')
  await page.keyboard.press('Control+k')
  await page.getByRole('dialog').getByRole('searchbox').fill(bob.name.slice(0, 5))
  await expectAccessible(page)
  await page.keyboard.press('Enter')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'About this conversation' }).click()
  await page.getByRole('complementary').waitFor()
  await expectAccessible(page)
  await page.setViewportSize({ width: 320, height: 640 })
  await page.getByRole('complementary').getByRole('button', { name: 'Close' }).click()
  await expectAccessible(page)
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(320)
  expect(name).toMatch(/^ann/)
})

inChromium('what people write is text: names of groups, messages, drafts', async () => {
  const { ann, bob } = await twoWhoTalk(web)
  const attack = `<img src=x onerror="document.title='owned'">`
  await say(ann.page, attack)
  await row(bob.page, attack).waitFor()
  const { rest } = await clientOf(web, ann.name)
  const { users } = await rest.people.search(bob.name)
  const group = await rest.createGroup(attack, [users[0]!.id])
  await bob.page.locator(`[data-conversation="${group.id}"]`).click()
  await bob.page.locator(`[data-conversation-pane="${group.id}"]`).waitFor()
  await composer(bob.page).fill(attack)
  await bob.page.getByRole('button', { name: 'About this conversation' }).click()
  await bob.page.getByRole('complementary').waitFor()
  for (const { page } of [ann, bob]) {
    expect(await page.title()).not.toContain('owned')
    expect(await page.locator('img[src="x"]').count()).toBe(0)
  }
})

inChromium('menus, filters and the search work by pointer and by keys', async () => {
  const { ann, bob } = await twoWhoTalk(web)
  const { page } = ann
  const more = page
    .locator('[data-conversation-pane] header')
    .getByRole('button', { name: 'What to do with this conversation' })
  await more.click()
  await page.getByRole('menuitem', { name: 'Mute' }).waitFor()
  expect(await more.getAttribute('aria-haspopup')).toBe('menu')
  await expectAccessible(page)
  await page.keyboard.press('Escape')
  await page.getByRole('menu').waitFor({ state: 'detached' })
  await expect.poll(() => more.evaluate(element => element === element.ownerDocument.activeElement)).toBe(true)
  await page.keyboard.press('ArrowDown')
  await page.getByRole('menuitem', { name: 'Mute' }).press('Enter')
  await page.getByRole('menu').waitFor({ state: 'detached' })

  await turn(page.getByRole('radio', { name: 'Groups' }))
  await inList(page, bob.name).waitFor({ state: 'detached' })
  await page.getByRole('radio', { name: 'Groups' }).press('ArrowLeft')
  await turn(page.getByRole('radio', { name: 'All' }))
  await inList(page, bob.name).waitFor()
  const search = page.getByRole('navigation').getByRole('searchbox')
  await search.fill('nobody has that name')
  await inList(page, bob.name).waitFor({ state: 'detached' })
  await search.press('Escape')
  await inList(page, bob.name).waitFor()
  await search.fill(bob.name)
  await page.getByRole('navigation').getByRole('button', { name: 'Clear' }).click()
  expect(await search.inputValue()).toBe('')
})

inChromium('the words of a sign come where the pointer rests or the keyboard is, and go with Escape', async () => {
  const { page } = await web.person(nameOf('ann'))
  const sign = page.locator('nav header').getByRole('button', { name: 'New conversation' })
  const words = page.getByRole('tooltip').getByText('New conversation')
  await sign.waitFor()
  // They come a while after the page: a pointer that is there already has to come again.
  await expect
    .poll(async () => {
      await page.mouse.move(5, 500)
      await sign.hover()
      return words.waitFor({ timeout: 2_000 }).then(
        () => true,
        () => false,
      )
    }, within)
    .toBe(true)
  await expectAccessible(page)
  await page.keyboard.press('Escape')
  await words.waitFor({ state: 'detached' })
  await page.mouse.move(5, 500)
  await sign.focus()
  await words.waitFor()
  await sign.press('Enter')
  await page.getByRole('dialog').waitFor()
  expect(await words.count()).toBe(0)
})

inChromium(
  'menus and dialogs take the focus, though what was in motion on the page never came to its end',
  async () => {
    const { page } = await web.person(nameOf('ann'))
    const opener = (name: string) => page.getByRole('navigation').getByRole('button', { name })
    const takesFocus = async (name: string, role: string, open: (opener: Locator) => Promise<void>) => {
      await open(opener(name))
      await page.getByRole('dialog').waitFor()
      await expect.poll(() => page.evaluate('document.activeElement.role'), { message: name }).toBe(role)
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
    }
    const byKey = (opener: Locator) => opener.press('Enter')
    /** No pointer and no key comes with it. */
    const byScreenReader = (opener: Locator) => opener.evaluate(button => (button as { click?(): void }).click?.())
    // What watches the transitions comes with the first of them.
    for (let nth = 0; nth < 2; nth++) await takesFocus('More', 'menuitem', byKey)
    await page.evaluate(`new Promise(done => {
    const moving = document.createElement('p')
    moving.style.transition = 'color 60s, background-color 60s'
    document.body.append(moving)
    let [running, cancelled] = [0, 0]
    moving.addEventListener('transitionrun', () => ++running === 2 && (moving.style.display = 'none'))
    moving.addEventListener('transitioncancel', () => ++cancelled === 2 && done())
    getComputedStyle(moving).color
    moving.style.color = moving.style.backgroundColor = 'red'
  })`)
    await takesFocus('Notifications', 'dialog', byScreenReader)
    await takesFocus('More', 'menuitem', byKey)
  },
)

inChromium('words that did not come are fetched once more when they are needed', async () => {
  // The worker would have them already.
  const { page } = await web.person(nameOf('ann'), { serviceWorkers: 'block' })
  const isWords = '**/assets/late-*.js'
  const early = page.waitForRequest(isWords)
  await page.route(isWords, route => route.abort())
  await page.reload()
  // A moment after the page stands.
  await early
  const more = page.getByRole('navigation').getByRole('button', { name: 'More' })
  await more.click()
  await noted(page, 'Something went wrong. Try again.')
  await page.unrouteAll({ behavior: 'wait' })
  await more.click()
  await page.getByRole('menu').waitFor()
})
