/** Nobody is put into conversations without having agreed, without limit; and who has left stays out. */
import { makeConversation } from '@flotilla/testing'
import { type Attack, atMost, check, inBatches } from '../attack.ts'
import type { Person, Stand } from '../stand.ts'

/** Requests at once: a cap that is looked at before it is taken would be passed. */
const atOnce = 45

export const unsolicited: Attack = {
  name: 'unsolicited',
  by: 'somebody with an account',
  tries: 'to put strangers into hundreds of groups and conversations, and back into those that they have left',
  async run(stand) {
    const [stranger, other, victim, friend] = (await stand.people(4)) as [Person, Person, Person, Person]
    const as = (person: Person) => ({ token: person.token(), from: person.from })
    const groups = Array.from({ length: stand.size(10, 100) }, (_, nth) => `Free coins ${nth}`)
    const open = (by: Person, body: object) => stand.call('POST /v1/conversations', { ...as(by), body })
    await inBatches(groups, atOnce, name => open(stranger, { kind: 'group', name, members: [victim.user] }))
    const inside = (await conversationsOf(stand, victim)).length

    const strangers = await stand.people(stand.size(45, 300))
    const opened = await inBatches(strangers, atOnce, ({ user }) => open(other, { kind: 'direct', user }))
    const reached = opened.filter(({ status }) => status < 400).length

    // An admin of a group that somebody has left: even a contact, who may add them to others.
    await stand.befriend(friend, victim)
    const group = await makeConversation(stand.pool, [friend.user, victim.user])
    await stand.must(`DELETE /v1/conversations/${group}/members/${victim.user}`, as(victim))
    const back = await stand.call(`POST /v1/conversations/${group}/members`, {
      ...as(friend),
      body: { users: [victim.user] },
    })
    const isBack = (await conversationsOf(stand, victim)).includes(group)
    return [
      atMost('groups of a stranger that somebody is in who never agreed', 0, inside),
      atMost(
        `of ${strangers.length} strangers those whom one account reaches at once`,
        stand.bounds.requestsSentMax,
        reached,
      ),
      check('who has left is not put back', !isBack, `${back.status}, ${isBack ? 'a member again' : 'no member'}`),
    ]
  },
}

/** As they see it themselves: the conversations of a page. */
async function conversationsOf(stand: Stand, { token, from }: Person): Promise<string[]> {
  const { body } = await stand.must('GET /v1/conversations', { token: token(), from })
  return (body.conversations as { id: string }[]).map(({ id }) => id)
}
