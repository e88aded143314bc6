/** Conversations, as people see them: two browsers, each with somebody in it, on all of Flotilla. */
import { type Climbed, climb, sendAndLook } from '@flotilla/testing'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { expectAccessible, inChromium, nameOf, password, startWeb, turn, type Web } from '../web.testbed.ts'
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
      // Every other time from further up.
      if (nth % 2 === 1) {
        await ann.page.evaluate(`document.querySelector('[data-conversation-pane] [data-timeline]').scrollTop -= 700`)
        await ann.page.evaluate('new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))')
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
