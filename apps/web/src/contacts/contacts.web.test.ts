/** The contacts, as people click them: asked, answered, found, written to, removed and blocked, by pointer and by keys. */
import type { Locator, Page } from 'playwright-core'
import { expect } from 'vitest'
import { clientOf, composer, type Person, toast, withPeople } from '../chat/chat.testbed.ts'
import { expectAccessible, inChromium, turn, type Web } from '../web.testbed.ts'

let web: Web
let ann: Person
let bob: Person
let cat: Person
withPeople(['ann', 'bob', 'cat'], started => ({ web, ann, bob, cat } = started))

const contact = (page: Page, name: string): Locator => page.locator('[data-contact]', { hasText: name })
const open = async ({ page }: Person) => {
  await page.goto(web.url)
  await page.getByRole('navigation').getByRole('link', { name: 'Contacts' }).click()
  await page.getByRole('heading', { level: 1, name: 'Contacts' }).waitFor()
  await page.getByText('You have no contacts yet.').or(page.locator('[data-contact]').first()).waitFor()
}
const show = (page: Page, view: string) => turn(page.getByRole('radio', { name: view }))
const add = async (page: Page, name: string) => {
  await page.getByRole('button', { name: 'Add a contact' }).first().click()
  const dialog = page.getByRole('dialog', { name: 'Add a contact' })
  await dialog.getByRole('searchbox').fill(name)
  await dialog.getByRole('button', { name }).click()
  await dialog.waitFor({ state: 'detached' })
}
const chooseFor = async (page: Page, name: string, choice: string) => {
  await page.getByRole('button', { name: `What to do with ${name}` }).click()
  await page.getByRole('menuitem', { name: choice, exact: true }).click()
}

inChromium('contacts are asked and answered, seen when they are here, and found', async () => {
  for (const one of [ann, bob, cat]) await open(one)
  await expectAccessible(ann.page)
  await ann.page.getByRole('button', { name: 'Add a contact' }).last().click()
  await ann.page.getByRole('dialog').getByRole('searchbox').fill(bob.name)
  await ann.page.getByRole('dialog').getByRole('button', { name: bob.name }).waitFor()
  await expectAccessible(ann.page)
  await ann.page.getByRole('dialog').getByRole('button', { name: bob.name }).click()
  await toast(ann.page, 'The contact request is sent.')
  await add(ann.page, cat.name)
  await show(ann.page, 'Sent 2')
  await ann.page.getByRole('button', { name: `Take back the request to ${cat.name}` }).waitFor()
  await expectAccessible(ann.page)

  await show(bob.page, 'Received 1')
  await expectAccessible(bob.page)
  await bob.page.getByRole('button', { name: `Accept ${ann.name}` }).click()
  await bob.page.getByText('Nobody has asked you.').waitFor()
  await show(cat.page, 'Received 1')
  await cat.page.getByRole('button', { name: `Decline ${ann.name}` }).click()
  await cat.page.getByText('Nobody has asked you.').waitFor()
  await ann.page.getByText('You wait for nobody.').waitFor()
  await add(cat.page, ann.name)
  await show(cat.page, 'Sent 1')
  await cat.page.getByRole('button', { name: `Take back the request to ${ann.name}` }).click()
  await cat.page.getByText('You wait for nobody.').waitFor()
  await add(cat.page, ann.name)
  await show(ann.page, 'Received 1')
  await ann.page.getByRole('button', { name: `Accept ${cat.name}` }).click()

  await show(ann.page, 'Contacts')
  await contact(ann.page, bob.name).getByText('online').waitFor()
  await contact(ann.page, cat.name).getByText('online').waitFor()
  await expectAccessible(ann.page)
  await cat.page.goto('about:blank')
  await contact(ann.page, cat.name).getByText('offline').waitFor()

  // By keys alone: from one to the other, and to what can be done with them.
  await contact(ann.page, bob.name).focus()
  await ann.page.keyboard.press('ArrowDown')
  const focused = () => ann.page.evaluate<string>('document.activeElement.textContent')
  await expect.poll(focused).toContain(cat.name)
  await ann.page.keyboard.press('Home')
  await expect.poll(focused).toContain(bob.name)
  await ann.page.keyboard.press('Tab')
  await ann.page.keyboard.press('Enter')
  await ann.page.getByRole('menuitem', { name: 'Write a message' }).waitFor()
  await expectAccessible(ann.page)
  await ann.page.keyboard.press('Escape')
  const search = ann.page.getByRole('searchbox')
  await search.fill(cat.name)
  await contact(ann.page, bob.name).waitFor({ state: 'detached' })
  await search.fill('nobody has that name')
  await ann.page.getByText('Nothing found.').waitFor()
  await search.press('Escape')
  await contact(ann.page, bob.name).click()
  await composer(ann.page).waitFor()
  await ann.page.locator('[data-conversation-pane] header').getByText(bob.name).waitFor()
})

inChromium('a contact is removed, another blocked; what fails says so, in three languages and on a phone', async () => {
  const { rest } = await clientOf(web, ann.name)
  const me = await rest.me()
  for (const { name } of [bob, cat]) {
    const other = await clientOf(web, name)
    // A test before this one may have made them contacts.
    await other.rest.contacts.request({ user: me.id }).catch(() => {})
    const { requests } = await rest.contacts.requests({ direction: 'received' })
    for (const { id } of requests) await rest.contacts.accept(id)
  }
  await open(ann)
  await chooseFor(ann.page, cat.name, 'Remove')
  await expectAccessible(ann.page)
  await ann.page.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click()
  await contact(ann.page, cat.name).waitFor({ state: 'detached' })
  await chooseFor(ann.page, bob.name, 'Report')
  await ann.page
    .getByRole('dialog', { name: `Report ${bob.name}` })
    .getByRole('button', { name: 'Close' })
    .click()
  await chooseFor(ann.page, bob.name, 'Block')
  await ann.page.getByRole('alertdialog').getByRole('button', { name: 'Block' }).click()
  await ann.page.getByText('You have no contacts yet.').waitFor()

  await ann.page.route('**/v1/contacts?*', route => route.fulfill({ status: 500, json: {} }))
  await ann.page.reload()
  await ann.page.getByRole('button', { name: 'Try again' }).waitFor()
  await expectAccessible(ann.page)
  await ann.page.unroute('**/v1/contacts?*')
  await ann.page.getByRole('button', { name: 'Try again' }).click()
  await ann.page.getByText('You have no contacts yet.').waitFor()
  for (const [language, title] of [
    ['de', 'Kontakte'],
    ['ar', 'جهات الاتصال'],
  ] as const) {
    await ann.page.evaluate(`localStorage.setItem('flotilla.appearance', JSON.stringify({ language: '${language}' }))`)
    await ann.page.setViewportSize({ width: 320, height: 640 })
    await ann.page.reload()
    await ann.page.getByRole('heading', { level: 1, name: title }).waitFor()
    await expectAccessible(ann.page)
    expect(await ann.page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(320)
  }
})
