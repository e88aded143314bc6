/** Somebody who joins sees nothing from before, also not when an old send is repeated after they have come. */
import { textOf } from '@flotilla/protocol'
import { randomUUID } from 'node:crypto'
import { makeConversation, until } from '@flotilla/testing'
import { type Attack, check, none } from '../attack.ts'
import { largeConversationMin, type Person, type Stand } from '../stand.ts'

export const repeatedSend: Attack = {
  name: 'repeated-send',
  by: 'a member',
  tries: 'to repeat a send from before somebody joined, so that it is told to them',
  async run(stand) {
    const small = await repeatAfterJoin(stand, 2)
    const large = await repeatAfterJoin(stand, largeConversationMin)
    return [...small, ...large]
  },
}

async function repeatAfterJoin(stand: Stand, size: number) {
  const [ann, newcomer, ...others] = (await stand.people(size + 1)) as [Person, Person, ...Person[]]
  await stand.befriend(ann, newcomer)
  const conversation = await makeConversation(
    stand.pool,
    [ann, ...others].map(({ user }) => user),
  )
  const [annSocket, socket] = [await stand.socket(ann, 0), await stand.socket(newcomer, 1)]
  const old = { conversation, clientId: randomUUID(), body: { text: 'before they came' } }
  const first = await annSocket.request('message.send', old)
  const path = `/v1/conversations/${conversation}`
  await stand.must(`POST ${path}/members`, {
    token: ann.token(),
    from: ann.from,
    body: { users: [newcomer.user] },
  })
  await until(
    async () => (await stand.call(`GET ${path}`, { token: newcomer.token(), from: newcomer.from })).status < 400,
    {
      what: 'the newcomer is a member',
    },
  )
  const again = await annSocket.request('message.send', old)
  await stand.call(`POST ${path}/messages`, {
    token: ann.token(),
    from: ann.from,
    body: { clientId: old.clientId, body: old.body },
  })
  await annSocket.request('message.send', { conversation, clientId: randomUUID(), body: { text: 'after' } })
  const texts = () =>
    socket.received.flatMap(frame => ('event' in frame && frame.event === 'message.new' ? [textOf(frame.body)] : []))
  await until(() => texts().includes('after'), { what: 'the newcomer hears what is said after they came' })
  return [
    check(`a repetition is answered with the first result (${size} members)`, again.seq === first.seq, again.seq),
    none(
      `the newcomer hears nothing from before (${size} members)`,
      texts().filter(text => text !== 'after'),
    ),
  ]
}
