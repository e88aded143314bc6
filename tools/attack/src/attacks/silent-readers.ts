/** People who read nothing make what is for them wait in the node: all of it together has a bound. */
import { randomUUID } from 'node:crypto'
import { makeConversation, type TestSocket } from '@flotilla/testing'
import { type Attack, check, inBatches } from '../attack.ts'
import { cjk, cjkBytes } from '../bodies.ts'
import type { Person, Stand } from '../stand.ts'

const writers = 8

export const silentReaders: Attack = {
  name: 'silent-readers',
  by: 'a member',
  tries: 'to make a node keep what hundreds of sockets never read',
  isFlood: true,
  async run(stand) {
    const silent = await stand.people(stand.size(60, 500))
    const talking = await stand.people(writers)
    const conversation = await makeConversation(
      stand.pool,
      [...talking, ...silent].map(({ user }) => user),
    )
    // All of them on one gateway, which is the worst.
    const sockets = await inBatches(silent, 25, person => stand.socket(person, 0))
    for (const socket of sockets) socket.pause()
    const sent = await talk(stand, talking, conversation, stand.size(120, 400))
    const own = await stand.socket(talking[0]!, 0)
    return [
      check('what is for them is taken', sent > 0, `${sent} messages of ${cjkBytes} bytes for ${silent.length} people`),
      // The bound itself is that of the resident memory, which is looked at in every attack.
      check('the node greets others', own.hello.event === 'hello', own.hello.node),
    ]
  },
}

/** @returns how many were acknowledged */
async function talk(stand: Stand, people: readonly Person[], conversation: string, count: number): Promise<number> {
  let left = count
  let sent = 0
  const say = async (socket: TestSocket) => {
    while (left-- > 0) {
      const command = { conversation, clientId: randomUUID(), body: { text: cjk } }
      const isTaken = await socket.request('message.send', command, 30_000).then(
        () => true,
        () => false,
      )
      if (isTaken) sent++
    }
  }
  await Promise.all(people.map(async person => say(await stand.socket(person, 1))))
  return sent
}
