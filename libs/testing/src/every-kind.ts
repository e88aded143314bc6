/** A log with an entry of every kind: for tests of what must hold for all of them, those of tomorrow included. */
import { randomUUID } from 'node:crypto'
import { type ChatContext, conversations, messages, operators } from '@flotilla/chat'
import { makeLarge, makeUsers } from './population.ts'
import { until } from './until.ts'

export interface Stages {
  /** Owns both groups. */
  readonly owner: string
  readonly member: string
  readonly small: string
  /** Where reactions and votes are told as totals. */
  readonly large: string
}

/** Makes the two groups, with these people. */
export async function makeStages(ctx: ChatContext, owner: string, member: string): Promise<Stages> {
  const open = (name: string) => conversations.createGroup(ctx, owner, { name, members: [member] })
  const [{ id: small }, { id: large }] = [await open('small'), await open('large')]
  await makeLarge(ctx.pool, large)
  ctx.memberships.drop(large)
  return { owner, member, small, large }
}

/**
 * Says something of every kind.
 * @param olds messages of before, that are changed as well
 * @returns the messages that were posted and stand, to be changed the next time
 */
export async function sayEveryKind(ctx: ChatContext, stages: Stages, olds: readonly number[] = []): Promise<number[]> {
  const posted = await changeMessages(ctx, stages, olds)
  await askAndCount(ctx, stages)
  await changeGroups(ctx, stages)
  await outlive(ctx, stages)
  return posted
}

const hourMs = 3_600_000
const says = (conversation: string) => ({ conversation, clientId: randomUUID() })

async function changeMessages(ctx: ChatContext, { owner, member, small }: Stages, olds: readonly number[]) {
  const post = (text: string) => messages.post(ctx, owner, { ...says(small), body: { text } })
  const seqs = []
  for (const text of ['edited', 'pinned', 'reacted', 'deleted', 'removed']) seqs.push((await post(text)).seq)
  const [edited, pinned, reacted, deleted, removed] = seqs as [number, number, number, number, number]
  for (const target of [edited, ...olds])
    await messages.edit(ctx, owner, { ...says(small), target, body: { text: `edited ${randomUUID()}` } })
  for (const target of [pinned, ...olds.slice(0, 1)]) {
    await messages.pin(ctx, owner, { ...says(small), target })
    await messages.unpin(ctx, owner, { ...says(small), target })
    await messages.pin(ctx, owner, { ...says(small), target })
  }
  for (const target of [reacted, ...olds])
    for (const [by, on] of [
      [owner, true],
      [member, true],
      [owner, false],
    ] as const)
      await messages.react(ctx, by, { ...says(small), target, emoji: '👍', on })
  for (const target of [deleted, ...olds.slice(1, 2)]) await messages.remove(ctx, owner, { ...says(small), target })
  const reason = 'spam'
  await operators.removeMessage(ctx, { program: 'test' }, { conversation: small, seq: removed, reason })
  return [edited, pinned, reacted]
}

async function askAndCount(ctx: ChatContext, { owner, member, small, large }: Stages): Promise<void> {
  const body = { type: 'poll' as const, question: 'When?', options: ['now', 'later'], fallback: 'When?' }
  for (const conversation of [small, large]) {
    const { seq: target } = await messages.post(ctx, owner, { ...says(conversation), body })
    for (const options of [[0], [1]]) await messages.vote(ctx, member, { ...says(conversation), target, options })
    if (conversation === large) await messages.tellPoll(ctx, { conversation, target })
    else await messages.closePoll(ctx, owner, { ...says(conversation), target })
  }
  const { seq: target } = await messages.post(ctx, owner, { ...says(large), body: { text: 'liked' } })
  await messages.react(ctx, member, { ...says(large), target, emoji: '🎉', on: true })
  const isTold = async () => {
    const found = await ctx.pool.query('SELECT FROM reaction_counts WHERE conversation_id = $1 AND untold', [large])
    return found.rowCount === 0
  }
  await until(isTold, { what: 'the reactions are told', withinMs: 30_000 })
}

async function changeGroups(ctx: ChatContext, { owner, member, small: conversation }: Stages): Promise<void> {
  const [guest, leaver] = (await makeUsers(ctx.pool, 2)) as [string, string]
  await conversations.addMembers(ctx, owner, { conversation, users: [guest, leaver] })
  await conversations.removeMember(ctx, owner, { conversation, user: guest })
  await conversations.leave(ctx, leaver, { conversation })
  for (const role of ['admin', 'member'] as const)
    await conversations.changeRole(ctx, owner, { conversation, user: member, role })
  for (const endsAt of [Date.now() + hourMs, null])
    await conversations.silenceMember(ctx, owner, { conversation, user: member, until: endsAt })
  await conversations.rename(ctx, owner, { conversation, name: randomUUID() })
  await conversations.changeGroup(ctx, owner, { conversation, description: randomUUID() })
}

async function outlive(ctx: ChatContext, { owner, small: conversation }: Stages): Promise<void> {
  await conversations.setTimer(ctx, owner, { conversation, timerMs: hourMs })
  const { seq } = await messages.post(ctx, owner, { ...says(conversation), body: { text: 'gone' } })
  await conversations.setTimer(ctx, owner, { conversation, timerMs: null })
  // As if an hour had passed.
  for (const table of ['messages', 'expiring_messages'])
    await ctx.pool.query(
      `UPDATE ${table} SET expires_at = expires_at - interval '61 minutes' WHERE conversation_id = $1 AND seq = $2`,
      [conversation, seq],
    )
  await messages.expireDue(ctx, 10)
}
