/** A stranger who writes to somebody learns nothing of when they are there. */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { type Attack, check, none } from '../attack.ts'
import type { Person } from '../stand.ts'

/** Longer than receipts wait for each other. */
const listenMs = 1_000

export const receiptsToStrangers: Attack = {
  name: 'receipts-to-strangers',
  by: 'somebody with an account',
  tries: 'to learn from a receipt when a stranger who hides their presence comes online',
  async run(stand) {
    const [stranger, victim] = (await stand.people(2)) as [Person, Person]
    const as = (person: Person) => ({ token: person.token(), from: person.from })
    await stand.must('PATCH /v1/me/settings', { ...as(victim), body: { lastSeenVisibility: 'nobody' } })
    const body = { kind: 'direct', user: victim.user }
    const opened = await stand.call('POST /v1/conversations', { ...as(stranger), body })
    if (opened.status >= 400) return [check('a stranger opens no conversation', true, opened.status)]
    const conversation = opened.body.id as string
    const socket = await stand.socket(stranger, 0)
    const sent = await socket
      .request('message.send', { conversation, clientId: randomUUID(), body: { text: 'are you there?' } })
      .catch(() => undefined)
    const own = await stand.socket(victim, 1)
    if (sent !== undefined)
      await own.request('message.delivered', { conversation, seq: sent.seq }).catch(() => undefined)
    await pause(listenMs)
    const told = socket.received.filter(
      frame =>
        'event' in frame &&
        (frame.event === 'message.delivered' || frame.event === 'message.read' || frame.event === 'presence.changed') &&
        frame.user === victim.user,
    )
    const members = await stand.call(`GET /v1/conversations/${conversation}/members`, as(stranger))
    const listed = ((members.body.members ?? []) as { user: string; deliveredSeq?: number }[]).find(
      one => one.user === victim.user,
    )
    const shown = sent !== undefined && (listed?.deliveredSeq ?? 0) >= sent.seq
    const watched = await socket.request('presence.watch', { users: [victim.user] }).catch(() => ({ online: [] }))
    return [
      none('no receipt and no presence of theirs is told', told),
      check('the list of members shows no receipt of theirs', !shown, listed ?? 'not listed'),
      none('a watch says that they are away', watched.online),
    ]
  },
}
