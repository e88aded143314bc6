/** What may be done with a message beside writing it: each kind and each choice, as a person clicks it. */
import type { Locator, Page } from 'playwright-core'
import { expect } from 'vitest'
import { expectAccessible, inChromium, nameOf, type Web } from '../web.testbed.ts'
import {
  choose,
  clientOf,
  composer,
  fill,
  inList,
  openFromList,
  type Person,
  row,
  say,
  toast,
  twoWhoTalk,
  withCompany,
} from './chat.testbed.ts'

let web: Web
let ann: Person
let bob: Person
let talk: string
withCompany(twoWhoTalk, started => {
  ;({ web, ann, bob } = started)
  talk = ann.page.url()
})

/** Both are in their conversation again, and nothing is open beside it. */
async function meet(): Promise<void> {
  await Promise.all([ann, bob].map(({ page }) => page.goto(talk)))
  await Promise.all([ann, bob].map(({ page }) => composer(page).waitFor()))
}

const closeDialog = async (dialog: Locator) => {
  await dialog.getByRole('button', { name: 'Close' }).first().click()
  await dialog.waitFor({ state: 'detached' })
}

/** `2027-03-28T09:00`, by the clock of the page. */
const fieldTime = (page: Page, aheadMs: number) =>
  page.evaluate<string>(
    `(() => { const at = Date.now() + ${aheadMs}; return new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16) })()`,
  )

inChromium('a poll: asked, voted on, voted otherwise, closed, and the same after a reload', async () => {
  await meet()
  const question = nameOf('Where to')
  await ann.page.getByRole('button', { name: 'Add', exact: true }).click()
  await ann.page.getByRole('menuitem', { name: 'Poll' }).click()
  const dialog = ann.page.getByRole('dialog', { name: 'Poll' })
  await dialog.getByLabel('Question').fill(question)
  await dialog.getByLabel('Answer 1').fill('Lisbon')
  await dialog.getByLabel('Answer 2').fill('Lisbon')
  await dialog.getByText('This answer is there already.').waitFor()
  await dialog.getByLabel('Answer 2').fill('Porto')
  await dialog.getByLabel('Answer 3').fill('Faro')
  await expectAccessible(ann.page)
  await dialog.getByRole('button', { name: 'Ask' }).click()
  const answer = (page: Page, name: string) => row(page, question).getByRole('button', { name })
  await answer(ann.page, 'Lisbon').click()
  await answer(bob.page, 'Lisbon').click()
  await expect.poll(() => answer(ann.page, 'Lisbon').innerText()).toContain('2')
  await answer(bob.page, 'Porto').click()
  for (const { page } of [ann, bob]) {
    await expect.poll(() => answer(page, 'Lisbon').innerText()).toContain('1')
    await expect.poll(() => answer(page, 'Porto').innerText()).toContain('1')
  }
  await expect.poll(() => answer(bob.page, 'Porto').getAttribute('aria-pressed')).toBe('true')
  await expect.poll(() => answer(bob.page, 'Lisbon').getAttribute('aria-pressed')).toBe('false')
  await row(bob.page, question).getByRole('button', { name: 'Who voted' }).click()
  const voters = bob.page.getByRole('dialog').getByRole('listitem')
  await voters.filter({ hasText: ann.name }).getByText('Lisbon').waitFor()
  await voters.filter({ hasText: bob.name }).getByText('Porto').waitFor()
  await closeDialog(bob.page.getByRole('dialog'))

  expect(await row(bob.page, question).getByRole('button', { name: 'Close' }).count()).toBe(0)
  await row(ann.page, question).getByRole('button', { name: 'Close' }).click()
  for (const { page } of [ann, bob]) {
    await row(page, question).getByText('The poll is closed').waitFor()
    await page.reload()
    await row(page, question).getByText('The poll is closed').waitFor()
    await expect.poll(() => answer(page, 'Porto').isDisabled()).toBe(true)
    await expect.poll(() => answer(page, 'Lisbon').innerText()).toContain('1')
    await expect.poll(() => answer(page, 'Porto').innerText()).toContain('1')
    await expect.poll(() => row(page, question).innerText()).toContain('2 votes')
  }
  await expect.poll(() => answer(bob.page, 'Porto').getAttribute('aria-pressed')).toBe('true')
})

inChromium('a message for later: planned, moved, taken back, and sent when it is due', async () => {
  await meet()
  const [later, never] = [nameOf('later'), nameOf('never')]
  for (const text of [later, never]) {
    await composer(ann.page).fill(text)
    await ann.page.getByRole('button', { name: 'Send later' }).click()
    const dialog = ann.page.getByRole('dialog', { name: 'Send later' })
    await dialog.waitFor()
    if (text === later) {
      await expectAccessible(ann.page)
      await dialog.getByLabel('Day and time').fill('2020-01-01T00:00')
      await dialog.getByText('Choose a time within the next year.').waitFor()
      expect(await dialog.getByRole('button', { name: 'Schedule' }).isDisabled()).toBe(true)
      await dialog.getByLabel('Day and time').fill(await fieldTime(ann.page, 7_200_000))
      await dialog.getByRole('button', { name: 'Schedule' }).click()
    } else await dialog.getByRole('button', { name: 'In an hour' }).click()
    await expect.poll(() => composer(ann.page).inputValue()).toBe('')
  }
  await toast(ann.page, 'The message is scheduled.')
  const list = await openFromList(ann.page, 'Scheduled messages')
  const line = (text: string) => list.getByRole('listitem').filter({ hasText: text })
  await expectAccessible(ann.page)
  const before = await line(later).innerText()
  await line(later).getByRole('button', { name: 'Another time' }).click()
  await ann.page.getByRole('dialog', { name: 'Another time' }).getByRole('button', { name: 'Tomorrow morning' }).click()
  await expect.poll(() => line(later).innerText()).not.toBe(before)
  await line(never).getByRole('button', { name: 'Do not send' }).click()
  await line(never).waitFor({ state: 'detached' })

  // On another device, at once: a field of a time knows no seconds.
  const { rest } = await clientOf(web, ann.name)
  const { scheduled } = await rest.scheduled.list()
  await rest.scheduled.edit(scheduled[0]!.id, { at: Date.now() + 10_000 })
  await row(bob.page, later).waitFor({ timeout: 40_000 })
  await list.getByText('Nothing is scheduled.').waitFor()
  await closeDialog(list)
  await row(ann.page, later).waitFor()
  expect(await row(bob.page, never).count()).toBe(0)
})

inChromium('a message goes on to another conversation, and says whose it was', async () => {
  await meet()
  const [text, group] = [nameOf('news'), nameOf('Trip')]
  const { rest } = await clientOf(web, ann.name)
  const { users } = await rest.people.search(bob.name)
  await rest.createGroup(group, [users[0]!.id])
  await say(bob.page, text)
  await choose(ann.page, text, 'Forward')
  const dialog = ann.page.getByRole('dialog', { name: 'Forward to' })
  await dialog.getByRole('searchbox').fill(group)
  await dialog.getByRole('button', { name: group }).click()
  await expectAccessible(ann.page)
  await dialog.getByRole('button', { name: 'Forward', exact: true }).click()
  await toast(ann.page, 'Forwarded.')
  await inList(bob.page, group).click()
  await row(bob.page, text)
    .getByText(/Forwarded from you|Forwarded from bob/)
    .waitFor()
  await inList(ann.page, group).click()
  await row(ann.page, text).getByText(`Forwarded from ${bob.name}`).waitFor()
})

inChromium('a thread: answered beside the conversation, followed or not, and told where it is unread', async () => {
  await meet()
  const root = nameOf('root')
  await say(ann.page, root)
  const panel = (page: Page) => page.getByRole('complementary', { name: 'Thread' })
  const answer = async (page: Page, text: string) => {
    const field = panel(page).getByRole('textbox')
    await field.fill(text)
    await field.press('Enter')
    await panel(page).locator('article', { hasText: text }).waitFor()
  }
  await choose(bob.page, root, 'Open thread')
  await panel(bob.page).getByRole('button', { name: 'Follow the thread', exact: true }).waitFor()
  await answer(bob.page, 'first answer')
  // Who answers follows.
  await panel(bob.page).getByRole('button', { name: 'Do not follow the thread' }).waitFor()
  await expectAccessible(bob.page)
  await row(ann.page, root).getByRole('button', { name: '1 reply' }).waitFor()
  expect(await ann.page.locator('[data-timeline] article', { hasText: 'first answer' }).count()).toBe(0)

  const threads = await openFromList(ann.page, 'Threads')
  await threads.getByRole('button', { name: root }).getByText('1 new reply').waitFor()
  await expectAccessible(ann.page)
  await threads.getByRole('button', { name: root }).click()
  await panel(ann.page).getByText('first answer').waitFor()
  await answer(ann.page, 'second answer')
  await panel(bob.page).getByText('second answer').waitFor()
  await row(bob.page, root).getByRole('button', { name: '2 replies' }).waitFor()
  // Read, it is unread no longer.
  await expect
    .poll(async () => {
      const again = await openFromList(ann.page, 'Threads')
      const words = await again.getByRole('button', { name: root }).innerText()
      await closeDialog(again)
      return words
    })
    .toContain('2 replies')

  await panel(bob.page).getByRole('button', { name: 'Do not follow the thread' }).click()
  await toast(bob.page, 'You do not follow the thread any longer.')
  await panel(bob.page).getByRole('button', { name: 'Follow the thread', exact: true }).waitFor()
  const none = await openFromList(bob.page, 'Threads')
  await none.getByText('You follow no threads.').waitFor()
  await closeDialog(none)
  await panel(bob.page).getByRole('button', { name: 'Follow the thread', exact: true }).click()
  await toast(bob.page, 'You follow the thread.')
  await bob.page.reload()
  await (await openFromList(bob.page, 'Threads')).getByRole('button', { name: root }).waitFor()
})

inChromium('what is kept for later: stars, pins and reminders, and the ways back to them', async () => {
  await meet()
  const text = nameOf('important')
  await say(bob.page, text)
  await row(ann.page, text).waitFor()
  await choose(ann.page, text, 'Star')
  await toast(ann.page, 'Starred')
  await choose(bob.page, text, 'Pin')
  const bar = ann.page.getByRole('button', { name: `Pinned ${text}` })
  await bar.waitFor()
  await row(ann.page, 'pinned a message').waitFor()

  await choose(ann.page, text, 'Remind me')
  const when = ann.page.getByRole('dialog', { name: 'Remind me' })
  await when.getByRole('button', { name: 'In an hour' }).waitFor()
  await expectAccessible(ann.page)
  await when.getByLabel('Day and time').fill(await fieldTime(ann.page, 7_200_000))
  await when.getByRole('button', { name: 'Remind me' }).click()
  await toast(ann.page, 'You will be reminded')

  await fill(
    web,
    bob.name,
    Array.from({ length: 60 }, (_, nth) => `filler ${nth}\nof two lines`),
  )
  await row(ann.page, 'filler 59').waitFor()
  const isInView = () =>
    ann.page.evaluate<boolean>(`(() => {
      const scroller = document.querySelector('[data-conversation-pane] [data-timeline]').getBoundingClientRect()
      const row = [...document.querySelectorAll('[data-conversation-pane] article')].find(one => one.textContent.includes(${JSON.stringify(text)}))?.getBoundingClientRect()
      return row !== undefined && row.top >= scroller.top && row.bottom <= scroller.bottom
    })()`)
  const toLatest = async () => {
    await ann.page.locator('[data-latest]').click()
    await expect.poll(isInView).toBe(false)
  }
  await bar.click()
  await expect.poll(isInView).toBe(true)
  await toLatest()

  const stars = await openFromList(ann.page, 'Starred messages')
  await expectAccessible(ann.page)
  await stars.getByRole('button', { name: text }).click()
  await stars.waitFor({ state: 'detached' })
  await expect.poll(isInView).toBe(true)
  await choose(ann.page, text, 'Remove the star')
  await toast(ann.page, 'The star is gone')
  const noStars = await openFromList(ann.page, 'Starred messages')
  await noStars.getByText('Star a message to find it again.').waitFor()
  await closeDialog(noStars)
  await toLatest()

  const reminders = await openFromList(ann.page, 'Reminders')
  await expectAccessible(ann.page)
  const before = await reminders.getByRole('listitem').innerText()
  await reminders.getByRole('button', { name: 'Another time' }).click()
  await ann.page.getByRole('dialog', { name: 'Another time' }).getByRole('button', { name: 'Tomorrow morning' }).click()
  await expect.poll(() => reminders.getByRole('listitem').innerText()).not.toBe(before)
  await reminders.getByRole('button', { name: text }).click()
  await expect.poll(isInView).toBe(true)
  const again = await openFromList(ann.page, 'Reminders')
  await again.getByRole('button', { name: 'Cancel the reminder' }).click()
  await again.getByText('There are no reminders.').waitFor()
  await closeDialog(again)

  await choose(ann.page, text, 'Unpin')
  for (const { page } of [ann, bob])
    await page.getByRole('button', { name: `Pinned ${text}` }).waitFor({ state: 'detached' })
})

inChromium('who has reacted is seen, and what is wrong is reported: a message, and a person', async () => {
  await meet()
  const text = nameOf('nasty')
  await say(bob.page, text)
  for (const { page } of [ann, bob]) {
    await row(page, text).click({ button: 'right', position: { x: 60, y: 8 } })
    await page.getByRole('button', { name: 'React with 😮' }).click()
  }
  await expect.poll(() => row(ann.page, text).locator('[data-reaction]').innerText()).toContain('2')
  await choose(ann.page, text, 'Details')
  const details = ann.page.getByRole('dialog', { name: 'Message details' })
  for (const { name } of [ann, bob])
    await details.getByRole('listitem').filter({ hasText: name }).getByText('😮').waitFor()
  await expectAccessible(ann.page)
  await closeDialog(details)

  await choose(ann.page, text, 'Report')
  const report = ann.page.getByRole('dialog', { name: 'Report this message' })
  await report.getByText(`get a copy of the message. ${bob.name} is not told.`).waitFor()
  await expectAccessible(ann.page)
  await report.getByLabel('What is wrong').selectOption('Harassment')
  await report.getByLabel('In your words').fill('Look at it')
  await report.getByRole('button', { name: 'Report' }).click()
  await toast(ann.page, 'Thank you.')
  await report.waitFor({ state: 'detached' })
  await ann.page.getByRole('button', { name: 'About this conversation' }).click()
  await ann.page.getByRole('complementary').getByRole('button', { name: 'Report' }).click()
  const person = ann.page.getByRole('dialog', { name: `Report ${bob.name}` })
  await person.getByRole('button', { name: 'Report' }).click()
  await person.waitFor({ state: 'detached' })
  // One's own words are not reported.
  await row(bob.page, text).click({ button: 'right', position: { x: 60, y: 8 } })
  await bob.page.getByRole('menuitem', { name: 'Details' }).waitFor()
  expect(await bob.page.getByRole('menuitem', { name: 'Report' }).count()).toBe(0)
})

inChromium('messages that disappear: set, told, marked, and gone in time', async () => {
  await meet()
  const [lasting, passing] = [nameOf('lasting'), nameOf('passing')]
  await say(ann.page, lasting)
  await ann.page.getByRole('button', { name: 'About this conversation' }).click()
  await ann.page.getByLabel('Messages disappear after', { exact: true }).selectOption('1 day')
  await row(ann.page, 'You let messages disappear after 1 day').waitFor()
  await row(bob.page, `${ann.name} let messages disappear after 1 day`).waitFor()
  await bob.page.clock.install()
  await bob.page.reload()
  await say(ann.page, passing)
  await row(bob.page, passing)
    .getByTitle(/^Disappears/)
    .waitFor()
  await bob.page.clock.fastForward('25:00:00')
  await row(bob.page, passing).waitFor({ state: 'detached' })
  await row(bob.page, lasting).waitFor()
  await ann.page.getByLabel('Messages disappear after', { exact: true }).selectOption('Off')
  await row(ann.page, 'You let messages stay').waitFor()
  // A device whose clock is wrong by a day talks on.
  await bob.page.reload()
  const onward = nameOf('onward')
  await say(bob.page, onward)
  await row(ann.page, onward).waitFor()
})
