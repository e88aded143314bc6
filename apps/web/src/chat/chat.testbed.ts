/** What people do in conversations, as the tests in a browser say it: find somebody, write, and choose from a message's menu. */
import { type Client, createClient, createSignIn } from '@flotilla/sdk'
import type { Locator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from 'vitest'
import { nameOf, noted, password, startWeb, type Web } from '../web.testbed.ts'

export const composer = (page: Page): Locator => page.locator('[data-conversation-pane] [data-composer] textarea')
export const row = (page: Page, text: string): Locator =>
  page.locator('[data-conversation-pane] article', { hasText: text }).last()
export const inList = (page: Page, text: string): Locator => page.locator('[data-conversation]', { hasText: text })

export async function say(page: Page, text: string): Promise<void> {
  await composer(page).fill(text)
  await composer(page).press('Enter')
}

/** Somebody who has an account, without a page. */
export async function clientOf(web: Web, name: string): Promise<Client> {
  const account = createSignIn(web.url)
  await account.signIn({ username: name, password })
  return createClient({ api: web.url, getToken: account.getToken })
}

/** Fills the only conversation that somebody has with another, in order. */
export async function fill(web: Web, name: string, texts: readonly string[]): Promise<void> {
  const client = await clientOf(web, name)
  const { conversations } = await client.rest.conversations()
  const conversation = conversations.find(one => one.memberCount === 2)!.id
  await client.start()
  await Promise.all(texts.map(text => client.send({ conversation, body: { text } }).acknowledged))
  await client.stop()
}

/** Finds somebody by name, as people do. */
export async function begin(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name: 'New conversation' }).first().click()
  await page.getByRole('dialog').getByRole('searchbox').fill(name)
  await page.getByRole('dialog').getByRole('button', { name }).click()
  await composer(page).waitFor()
}

export interface Person {
  readonly page: Page
  readonly name: string
}

/** Each test is a whole day of several people. */
const dayMs = 180_000

/**
 * At the head of a file whose tests share a server and the same people, since signing up takes a while. No page of theirs
 * may complain. Where a test is tried again there are others: what the first did is in the way.
 * @param gather has them sign up
 * @param started is given these; where there is no browser it is not called, and no test runs
 */
export function withCompany<Company extends object>(
  gather: (web: Web) => Promise<Company>,
  started: (given: Company & { readonly web: Web }) => void,
): void {
  vi.setConfig({ testTimeout: dayMs })
  let web: Web | undefined
  let lastTest: string | undefined
  beforeAll(async () => {
    web = await startWeb()
  })
  beforeEach(async ({ task: { id } }) => {
    if (web !== undefined && (lastTest === undefined || lastTest === id)) started({ ...(await gather(web)), web })
    lastTest = id
  })
  afterEach(() => expect(web?.complaints() ?? []).toEqual([]))
  afterAll(() => web?.stop())
}

/** @param names of each somebody, called so and something more */
export function withPeople<Name extends string>(
  names: readonly Name[],
  started: (given: { readonly web: Web } & Readonly<Record<Name, Person>>) => void,
): void {
  const signUp = async (web: Web) => {
    const people: [Name, Person][] = []
    for (const name of names) people.push([name, await web.person(nameOf(name))])
    return Object.fromEntries(people) as Record<Name, Person>
  }
  withCompany(signUp, started)
}

export async function twoWhoTalk(web: Web): Promise<{ readonly ann: Person; readonly bob: Person }> {
  const [ann, bob] = [await web.person(nameOf('ann')), await web.person(nameOf('bob'))]
  await begin(ann.page, bob.name)
  await say(ann.page, `Hello ${bob.name}`)
  await inList(bob.page, ann.name).click()
  await row(bob.page, 'Hello').waitFor()
  return { ann, bob }
}

/** @param choice what is chosen in the menu of a message */
export async function choose(page: Page, text: string, choice: string): Promise<void> {
  await row(page, text).click({ button: 'right', position: { x: 60, y: 8 } })
  await page.getByRole('menuitem', { name: choice, exact: true }).click()
}

/** What the menu of the list of conversations opens. */
export async function openFromList(page: Page, choice: string): Promise<Locator> {
  await page.getByRole('navigation').getByRole('button', { name: 'More' }).click()
  await page.getByRole('menuitem', { name: choice, exact: true }).click()
  const dialog = page.getByRole('dialog', { name: choice, exact: true })
  await dialog.waitFor()
  return dialog
}

export const toast = noted
