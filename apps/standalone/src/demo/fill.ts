/**
 * A workspace to look around in: four people, three groups and two direct conversations, two thousand messages of every kind
 * over two weeks. It is made by the domain's own verbs, as if the people had done it, and then given its times.
 */
import { randomUUID } from 'node:crypto'
import {
  accounts,
  type ChatContext,
  contacts,
  conversations,
  lifecycle,
  messages,
  receipts,
  users,
} from '@flotilla/chat'
import { type PostedBody, Refusal, type User } from '@flotilla/protocol'
import { card, emojis, type Name, people, pick, place, poll, type Room, rooms, seeded } from './words.ts'

const days = 14
const dayMs = 86_400_000
/** The last message is so old. */
const quietMs = 4 * 60_000
/** Messages that somebody has not read yet, of the last ones. */
const unreadMax = 9
const client = { deviceName: 'Demo', address: '127.0.0.1', country: '', agent: '' }

/**
 * @returns the names under which people sign in, with the password
 * @throws Error when one of the names is somebody else's
 */
export async function fillDemo(chat: ChatContext, password: string): Promise<readonly string[]> {
  const names = people.map(({ username }) => username)
  const ctx = demoContext(chat)
  const taken = await findTaken(ctx, names)
  if (taken === undefined) {
    const ids = await makePeople(ctx, password)
    const [last, ...others] = rooms
    await Promise.all(others.map((room, nth) => fillRoom(ctx, ids, room, nth)))
    await fillRoom(ctx, ids, last!, others.length)
  } else if (!(await isFilled(ctx, taken.id)))
    throw new Error(
      `unable to fill the demo workspace: the name ${taken.username} is taken. Choose another folder: FLOTILLA_FOLDER=.flotilla-demo`,
    )
  return names
}

async function findTaken(ctx: ChatContext, names: readonly string[]): Promise<User | undefined> {
  for (const name of names) {
    const found = await users.find(ctx, name).catch((error: unknown) => {
      if (error instanceof Refusal && error.code === 'user_unknown') return undefined
      throw error
    })
    if (found !== undefined) return found
  }
  return undefined
}

/** By the group that is made last. */
async function isFilled(ctx: ChatContext, user: string): Promise<boolean> {
  const { conversations: known } = await conversations.list(ctx, user, { limit: 50 })
  return known.some(({ name }) => name === rooms[0]!.name)
}

/** Nobody is kept waiting for what they are said to have done, and nobody is woken for it. */
const demoContext = (chat: ChatContext): ChatContext => ({
  ...chat,
  spending: { message() {}, change() {}, notice: () => true },
  presumedAbsent: () => [],
})

type Ids = ReadonlyMap<Name, string>

async function makePeople(ctx: ChatContext, password: string): Promise<Ids> {
  const ids = new Map<Name, string>()
  for (const person of people) {
    const { user } = await accounts.register(ctx, { ...person, password, client })
    for (const known of ids.values()) await befriend(ctx, known, user.id)
    ids.set(person.username, user.id)
  }
  return ids
}

async function befriend(ctx: ChatContext, one: string, other: string): Promise<void> {
  const asked = await contacts.request(ctx, one, { user: other })
  if ('request' in asked) await contacts.accept(ctx, other, asked.request.id)
}

async function fillRoom(ctx: ChatContext, ids: Ids, room: Room, nth: number): Promise<void> {
  const random = seeded(nth + 1)
  const members = room.members.map(name => ids.get(name)!)
  const [by, ...others] = members as [string, ...string[]]
  const { id: conversation } =
    room.name === undefined
      ? (await conversations.createDirect(ctx, by, others[0]!)).conversation
      : await conversations.createGroup(ctx, by, { name: room.name, members: others })
  const said = await sayAll(ctx, { conversation, members, room, random })
  if (room === rooms[0]) await decorate(ctx, { conversation, members, owner: room.members[0], said })
  const { head } = await conversations.get(ctx, by, conversation)
  await lifecycle.redate(ctx, conversation, timesOf(head, random))
  for (const [at, user] of members.entries())
    await receipts.read(ctx, user, { conversation, seq: head - (at === 0 ? Math.floor(random() * unreadMax) : 0) })
}

interface Said {
  readonly seq: number
  readonly by: string
}

/** So many are posted at once, and stored in their order: what they answer was said before. */
const atOnce = 25

async function sayAll(
  ctx: ChatContext,
  at: { conversation: string; members: readonly string[]; room: Room; random: () => number },
): Promise<readonly Said[]> {
  const { conversation, members, room, random } = at
  const said: Said[] = []
  let by = members[0]!
  while (said.length < room.messages) {
    const some = Array.from({ length: Math.min(atOnce, room.messages - said.length) }, async () => {
      if (random() < 0.6) by = pick(random, members)
      const answered = random() < 0.08 ? said.at(-1 - Math.floor(random() * 5)) : undefined
      const message = { conversation, clientId: randomUUID(), body: { text: room.lines(random) } }
      const sender = by
      const { seq } = await messages.post(ctx, sender, {
        ...message,
        ...(answered === undefined ? {} : { replyTo: answered.seq }),
      })
      return { seq, by: sender, text: message.body.text }
    })
    const posted = await Promise.all(some)
    said.push(...posted)
    await Promise.all(posted.map(one => answer(ctx, { ...at, ...one })))
  }
  return said
}

/** Some messages are reacted to, a few are edited. */
async function answer(
  ctx: ChatContext,
  at: Said & { conversation: string; members: readonly string[]; text: string; random: () => number },
): Promise<void> {
  const { conversation, seq: target, by, text, random } = at
  const [isReactedTo, isEdited] = [random() < 0.12, random() < 0.02]
  if (isReactedTo) await reactTo(ctx, { ...at, target })
  if (isEdited)
    await messages.edit(ctx, by, {
      conversation,
      clientId: randomUUID(),
      target,
      body: { text: `${text}\n_Edited: found the words for it._` },
    })
}

async function reactTo(
  ctx: ChatContext,
  at: { conversation: string; members: readonly string[]; target: number; random: () => number },
): Promise<void> {
  const { conversation, members, target, random } = at
  const emoji = pick(random, emojis)
  for (const by of members.slice(0, 1 + Math.floor(random() * members.length)))
    await messages.react(ctx, by, { conversation, clientId: randomUUID(), target, emoji, on: true })
}

/** One of everything else near the end, where it is seen. */
async function decorate(
  ctx: ChatContext,
  at: { conversation: string; members: readonly string[]; owner: Name; said: readonly Said[] },
): Promise<void> {
  const { conversation, members, said } = at
  const [owner, second, third] = members as [string, string, string]
  const say = (by: string, body: PostedBody, more: { replyTo?: number; thread?: number } = {}) =>
    messages.post(ctx, by, { conversation, clientId: randomUUID(), body, ...more })
  const asked = await say(owner, poll)
  for (const [nth, by] of members.entries())
    await messages.vote(ctx, by, { conversation, clientId: randomUUID(), target: asked.seq, options: [nth % 2] })
  await say(second, place)
  await say(third, card)
  const pinned = said.at(-12)!
  await messages.pin(ctx, owner, { conversation, clientId: randomUUID(), target: pinned.seq })
  const root = said.at(-6)!
  for (const [by, text] of [
    [second, 'Let us keep this in a thread.'],
    [third, 'Good idea. I will collect the numbers here.'],
    [owner, 'First ones: 42 sign-ups since this morning 🎉'],
  ] as const)
    await say(by, { text }, { thread: root.seq })
  const mistake = await say(third, { text: 'Wrong room, sorry!' })
  await messages.remove(ctx, third, { conversation, clientId: randomUUID(), target: mistake.seq })
  await messages.star(ctx, owner, { conversation, seq: pinned.seq })
  await say(second, { text: `Good morning @${at.owner}! What is left for today?`, mentions: [owner] })
}

/** Times of so many entries over the last days: bursts in the hours in which people are awake. */
function timesOf(count: number, random: () => number): number[] {
  const end = Date.now() - quietMs
  const times: number[] = []
  const perDay = Math.ceil(count / days)
  for (let day = days - 1; day >= 0; day--) {
    const midnight = new Date(end - day * dayMs).setHours(0, 0, 0, 0)
    const from = midnight + 8 * 3_600_000
    const to = Math.min(midnight + 18 * 3_600_000, end)
    // Early in the morning today has no hours yet: then it is the night.
    const begin = Math.min(from, to - 3_600_000)
    const ofDay = Array.from({ length: Math.min(perDay, count - times.length) }, () => burst(random))
    times.push(...ofDay.map(share => begin + share * (to - begin)).sort((one, other) => one - other))
  }
  return times
}

/** Where in a day somebody says something: around five times of it. */
function burst(random: () => number): number {
  const middle = (0.5 + Math.floor(random() * 5)) / 5
  return Math.min(0.999, Math.max(0, middle + (random() + random() - 1) * 0.05))
}
