/** Groups and requests, as people click them: making one, who is in it and what they may, the ways in, and out. */
import type { Locator, Page } from 'playwright-core'
import { expect } from 'vitest'
import { flag } from '../flag.testbed.ts'
import { changing, expectAccessible, inChromium, nameOf, type Web } from '../web.testbed.ts'
import { begin, clientOf, composer, inList, type Person, row, say, toast, withPeople } from './chat.testbed.ts'

let web: Web
let ann: Person
let bob: Person
let cat: Person
let dan: Person
withPeople(['ann', 'bob', 'cat', 'dan'], started => ({ web, ann, bob, cat, dan } = started))

const panel = (page: Page) => page.getByRole('complementary', { name: 'Group' })
const openPanel = async (page: Page) => {
  await page.getByRole('button', { name: 'About this conversation' }).click()
  await panel(page).waitFor()
}
/** A group of Ann's, in which both look at it. */
async function groupOfTwo(kind: string): Promise<{ readonly id: string; readonly name: string }> {
  const name = nameOf(kind)
  const { rest } = await clientOf(web, ann.name)
  const { users } = await rest.people.search(bob.name)
  const { id } = await rest.createGroup(name, [users[0]!.id])
  for (const { page } of [ann, bob]) {
    await page.goto(`${web.url}/c/${id}`)
    await composer(page).waitFor()
  }
  return { id, name }
}
const member = (page: Page, name: string): Locator => panel(page).getByRole('listitem').filter({ hasText: name })
const chooseFor = async (page: Page, name: string, choice: string) => {
  await panel(page)
    .getByRole('button', { name: `What to do with ${name}` })
    .click()
  await page.getByRole('menuitem', { name: choice, exact: true }).click()
}
const confirm = (page: Page, action: string) =>
  page.getByRole('alertdialog').getByRole('button', { name: action, exact: true }).click()

inChromium('a group is made, gets a picture, another name and a description, and grows', async () => {
  const { page } = ann
  const [name, better] = [nameOf('Hikers'), nameOf('Climbers')]
  await page.getByRole('button', { name: 'New conversation' }).first().click()
  await page.getByRole('dialog').getByRole('button', { name: 'New group' }).click()
  const dialog = page.getByRole('dialog', { name: 'New group' })
  await dialog.getByLabel('Name of the group').fill(name)
  await dialog.getByRole('searchbox').fill(bob.name)
  await dialog.getByRole('list', { name: 'People' }).getByRole('button', { name: bob.name }).click()
  await dialog.getByRole('list', { name: 'Chosen people' }).getByText(bob.name).waitFor()
  await expectAccessible(page)
  await dialog.getByRole('button', { name: 'Create group' }).click()
  await composer(page).waitFor()
  await inList(bob.page, name).click()
  await row(bob.page, `${ann.name} created the group`).waitFor()

  await openPanel(page)
  const chooser = page.waitForEvent('filechooser')
  await panel(page).getByRole('button', { name: 'Change the picture' }).click()
  await (await chooser).setFiles({ name: 'flag.png', mimeType: 'image/png', buffer: flag(60, 20) })
  const crop = page.getByRole('dialog', { name: 'Picture of the group' })
  await crop.getByRole('application').press('ArrowLeft')
  await expectAccessible(page)
  await crop.getByRole('button', { name: 'Save' }).click()
  await crop.waitFor({ state: 'detached' })
  const picture = bob.page.locator('[data-conversation-pane] header img')
  await expect.poll(() => picture.evaluate(one => (one as { naturalWidth?: number }).naturalWidth)).toBe(64)

  await panel(page).getByRole('button', { name: 'Edit name and description' }).click()
  await panel(page).getByLabel('Name of the group').fill(better)
  await panel(page).getByLabel('Description').fill('Up and **down**')
  await panel(page).getByRole('button', { name: 'Save' }).click()
  await row(bob.page, `${ann.name} named the group “${better}”`).waitFor()
  await bob.page.locator('[data-conversation-pane] header').getByText(better).waitFor()
  await panel(page).getByText('Up and **down**').waitFor()

  await panel(page).getByRole('button', { name: 'Add people' }).click()
  const adding = page.getByRole('dialog', { name: 'Add people' })
  await adding.getByRole('searchbox').fill(cat.name)
  await adding.getByRole('button', { name: cat.name }).click()
  await expectAccessible(page)
  await adding.getByRole('button', { name: 'Add 1 person' }).click()
  await member(page, cat.name).waitFor()
  await row(bob.page, `${ann.name} added ${cat.name}`).waitFor()
  await inList(cat.page, better).waitFor()
  await expectAccessible(page)
  await panel(page).getByRole('button', { name: 'Remove the picture' }).click()
  await picture.waitFor({ state: 'detached' })
})

inChromium('who may write: admins alone, slowly, or not for now', async () => {
  await groupOfTwo('Rules')
  await openPanel(ann.page)
  await panel(ann.page).getByLabel('Write messages').selectOption('Admins')
  await bob.page.getByText('Only admins can write here.').waitFor()
  expect(await composer(bob.page).count()).toBe(0)
  await expectAccessible(bob.page)
  await chooseFor(ann.page, bob.name, 'Make admin')
  await row(bob.page, `${ann.name} made you admin`).waitFor()
  await say(bob.page, 'as an admin')
  await row(ann.page, 'as an admin').waitFor()
  await chooseFor(ann.page, bob.name, 'Make ordinary member')
  await bob.page.getByText('Only admins can write here.').waitFor()
  await panel(ann.page).getByLabel('Write messages').selectOption('Everybody')

  // Counted from what he has said before.
  await panel(ann.page).getByLabel('Pause between messages').selectOption('5 minutes')
  await bob.page.getByText('Slow mode: 5 minutes between two messages.').waitFor()
  const wait = bob.page.getByRole('timer')
  await wait.waitFor()
  expect(await wait.innerText()).toMatch(/^[0-4]:[0-5]\d$/)
  await expectAccessible(bob.page)
  await say(ann.page, 'who leads')
  await say(ann.page, 'writes on')
  await row(bob.page, 'writes on').waitFor()
  // Until it is one's turn again, what is written stays where it is.
  await say(bob.page, 'at last')
  await bob.page.getByRole('status').getByText('you can write again').first().waitFor()
  expect(await composer(bob.page).inputValue()).toBe('at last')
  await panel(ann.page).getByLabel('Pause between messages').selectOption('Off')
  await wait.waitFor({ state: 'detached' })
  await bob.page.locator('[data-typing]').getByText('Slow mode').waitFor({ state: 'detached' })
  await composer(bob.page).press('Enter')
  await row(ann.page, 'at last').waitFor()

  await chooseFor(ann.page, bob.name, 'Silence')
  await member(ann.page, bob.name).getByText('silenced').waitFor()
  await bob.page.getByText('You can read here, but not write.').waitFor()
  await chooseFor(ann.page, bob.name, 'Let write again')
  await composer(bob.page).waitFor()
  await say(bob.page, 'free again')
  await row(ann.page, 'free again').waitFor()
})

inChromium('people are removed, banned and let in again, the group is handed over, and left', async () => {
  const { name, id } = await groupOfTwo('Doors')
  await openPanel(ann.page)
  await chooseFor(ann.page, bob.name, 'Remove')
  await expectAccessible(ann.page)
  await confirm(ann.page, 'Remove')
  await inList(bob.page, name).waitFor({ state: 'detached' })
  await bob.page.getByText('This conversation does not exist, or you are not in it.').waitFor()
  await row(ann.page, `You removed ${bob.name}`).waitFor()
  const add = async (who: string) => {
    await panel(ann.page).getByRole('button', { name: 'Add people' }).click()
    const adding = ann.page.getByRole('dialog', { name: 'Add people' })
    await adding.getByRole('searchbox').fill(who)
    await adding.getByRole('button', { name: who }).click()
    await adding.getByRole('button', { name: 'Add 1 person' }).click()
  }
  await add(bob.name)
  await inList(bob.page, name).waitFor()
  await chooseFor(ann.page, bob.name, 'Ban')
  await confirm(ann.page, 'Ban')
  await inList(bob.page, name).waitFor({ state: 'detached' })
  await add(bob.name)
  await toast(ann.page, 'They are banned from this group.')
  await ann.page.getByRole('dialog', { name: 'Add people' }).getByRole('button', { name: 'Close' }).click()
  await panel(ann.page).getByRole('button', { name: 'Lift the ban' }).click()
  await panel(ann.page).getByRole('button', { name: 'Lift the ban' }).waitFor({ state: 'detached' })
  await add(bob.name)
  await inList(bob.page, name).click()

  await panel(ann.page).getByRole('button', { name: 'Leave the group' }).click()
  await confirm(ann.page, 'Leave the group')
  await toast(ann.page, 'A group needs an owner: hand it over first.')
  await chooseFor(ann.page, bob.name, 'Hand the group over')
  await confirm(ann.page, 'Hand the group over')
  await member(ann.page, bob.name).getByText('owner').waitFor()
  await member(ann.page, ann.name).getByText('admin').waitFor()
  await openPanel(bob.page)
  await panel(bob.page).getByLabel('Write messages').waitFor()
  await expect.poll(() => panel(bob.page).getByLabel('Write messages').isDisabled()).toBe(false)
  await panel(ann.page).getByRole('button', { name: 'Leave the group' }).click()
  await confirm(ann.page, 'Leave the group')
  await ann.page.waitForURL(`${web.url}/`)
  await inList(ann.page, name).waitFor({ state: 'detached' })
  await row(bob.page, `${ann.name} left the group`).waitFor()
  expect(bob.page.url()).toContain(id)
})

inChromium('invite links: for so many, asked about first, revoked; and what newcomers see', async () => {
  const { name } = await groupOfTwo('Open')
  await say(ann.page, 'said before')
  await row(bob.page, 'said before').waitFor()
  await openPanel(ann.page)
  const makeLink = async () => {
    await panel(ann.page).getByRole('button', { name: 'Make a link' }).click()
    return panel(ann.page).locator('[data-invite-link]')
  }
  await panel(ann.page).getByLabel('Works for', { exact: true }).selectOption('1 person')
  await panel(ann.page).getByLabel('Works for so long').selectOption('1 day')
  const first = await (await makeLink()).innerText()
  await panel(ann.page).getByText('used 0 of 1').waitFor()
  await changing(ann.page, () => panel(ann.page).getByLabel('Newcomers see').selectOption('Nothing from before'))
  await cat.page.goto(first)
  await cat.page.getByText(name).waitFor()
  await expectAccessible(cat.page)
  await cat.page.getByRole('button', { name: 'Join' }).click()
  await composer(cat.page).waitFor()
  await say(cat.page, 'I am new')
  await row(ann.page, 'I am new').waitFor()
  await panel(ann.page).getByText('used 1 of 1').waitFor()
  expect(await row(cat.page, 'said before').count()).toBe(0)
  await chooseFor(ann.page, cat.name, 'Remove')
  await confirm(ann.page, 'Remove')
  await member(ann.page, cat.name).waitFor({ state: 'detached' })
  const openAgain = async (link: string) => {
    await cat.page.goto('about:blank')
    await cat.page.goto(link)
  }
  await openAgain(first)
  await cat.page.getByText('This link is not valid any longer.').waitFor()

  await changing(ann.page, () => panel(ann.page).getByLabel('Newcomers see').selectOption('Everything'))
  await panel(ann.page).getByLabel('Works for', { exact: true }).selectOption('Everybody')
  await panel(ann.page).getByRole('switch', { name: 'Ask an admin first' }).click({ force: true })
  const link = await makeLink()
  await expect.poll(() => link.innerText()).not.toBe(first)
  const second = await link.innerText()
  await openAgain(second)
  await cat.page.getByRole('button', { name: 'Ask to join' }).click()
  await cat.page.getByText('You have asked to join.').waitFor()
  await panel(ann.page).getByRole('heading', { name: 'Ask to join' }).waitFor()
  await ann.page.getByRole('button', { name: 'Requests' }).waitFor()
  await panel(ann.page).getByRole('button', { name: 'Accept' }).click()
  await member(ann.page, cat.name).waitFor()
  await cat.page.goto(web.url)
  await inList(cat.page, name).click()
  await row(cat.page, 'said before').waitFor()

  // The latest stands first.
  await expect.poll(() => panel(ann.page).getByRole('button', { name: 'Revoke the link' }).count()).toBe(2)
  await panel(ann.page).getByRole('button', { name: 'Revoke the link' }).first().click()
  await expect.poll(() => panel(ann.page).getByRole('button', { name: 'Revoke the link' }).count()).toBe(1)
  await openAgain(second)
  await cat.page.getByText('This link is not valid any longer.').waitFor()
  await cat.page.goto(web.url)
})

inChromium('of a group whose members are too many to be told somebody is found and mentioned', async () => {
  const { rest } = await clientOf(web, ann.name)
  const others: string[] = []
  for (const { name } of [bob, cat, dan]) others.push((await rest.people.search(name)).users[0]!.id)
  const { id } = await rest.createGroup(nameOf('Crowd'), others)
  // As of a group of more than fifty: the server does not tell who is in it.
  await ann.page.route(/\/v1\/conversations(\/[^/]+)?(\?|$)/, async route => {
    const response = await route.fetch()
    const told = (await response.json()) as { readonly conversations?: object[] }
    const without = (conversation: object) => ({ ...conversation, members: undefined })
    const json = told.conversations ? { ...told, conversations: told.conversations.map(without) } : without(told)
    await route.fulfill({ response, json })
  })
  await ann.page.goto(`${web.url}/c/${id}`)
  await dan.page.goto(web.url)
  await composer(ann.page).pressSequentially(`Look, @${dan.name.slice(0, 6)}`)
  await ann.page.getByRole('listbox', { name: 'People' }).getByRole('option', { name: dan.name }).waitFor()
  await expectAccessible(ann.page)
  await ann.page.keyboard.press('Enter')
  await expect.poll(() => composer(ann.page).inputValue()).toBe(`Look, @${dan.name} `)
  await composer(ann.page).press('Enter')
  await dan.page.locator(`[data-conversation="${id}"]`).getByRole('img', { name: 'You are mentioned' }).waitFor()
  await ann.page.unrouteAll({ behavior: 'wait' })
})

inChromium('who asks to talk is answered: accepted, declined, or blocked', async () => {
  const { rest } = await clientOf(web, dan.name)
  await rest.profile.changeSettings({ directFrom: 'request' })
  for (const [nth, { page }] of [ann, bob, cat].entries()) {
    await page.goto(web.url)
    await begin(page, dan.name)
    await page.getByText('It is delivered with your request.').waitFor()
    await say(page, `May we talk? ${nth}`)
    await row(page, 'May we talk?').locator('[data-ticks="sent"]').waitFor()
  }
  await dan.page.getByRole('button', { name: 'Requests 3' }).click()
  const dialog = dan.page.getByRole('dialog', { name: 'Requests' })
  const asking = (name: string) => dialog.locator('[data-request]', { hasText: name })
  await asking(ann.name).getByText('May we talk? 0').waitFor()
  await expectAccessible(dan.page)
  await asking(bob.name).getByRole('button', { name: 'Decline' }).click()
  await asking(bob.name).waitFor({ state: 'detached' })
  await asking(cat.name).getByRole('button', { name: 'Block' }).click()
  await confirm(dan.page, 'Block')
  await asking(cat.name).waitFor({ state: 'detached' })
  await asking(ann.name).getByRole('button', { name: 'Accept' }).click()
  await row(dan.page, 'May we talk? 0').waitFor()
  await say(dan.page, 'Gladly')
  await row(ann.page, 'Gladly').waitFor()
  await dan.page.goto(`${web.url}/settings/blocked`)
  await dan.page.getByRole('button', { name: `Unblock ${cat.name}` }).waitFor()
})
