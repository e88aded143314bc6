/** People who read nothing make what is for them wait in the node: all of it together has a bound. */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { makeConversation, type TestSocket } from '@flotilla/testing'
import { type Attack, again, check, inBatches, rate } from '../attack.ts'
import { cjk, cjkBytes } from '../bodies.ts'

const writers = 8
/** After a send that was refused. */
const refusedMs = 50

export const silentReaders: Attack = {
  name: 'silent-readers',
  by: 'a member',
  tries: 'to make a node keep what hundreds of sockets never read',
  isFlood: true,
  async run(stand, begins) {
    const silent = await stand.people(stand.size(60, 500))
    const talking = await stand.people(writers)
    const conversation = await makeConversation(
      stand.pool,
      [...talking, ...silent].map(({ user }) => user),
    )
    // All of them on one gateway, which is the worst. In the next round they come again: what the kernel keeps for both ends
    // of more sockets than these is more than it has for all of this machine.
    let sockets: TestSocket[] = []
    const fallSilent = async () => {
      await Promise.all(sockets.map(socket => socket.terminate()))
      sockets = await inBatches(silent, 25, person => stand.socket(person, 0))
      for (const socket of sockets) socket.pause()
    }
    await fallSilent()
    const mouths = await Promise.all(talking.map(person => stand.socket(person, 1)))
    await begins()
    const startedAt = performance.now()
    let sent = 0
    await again(stand, async () => {
      if (sent > 0) await fallSilent()
      sent += await talk(mouths, conversation, stand.size(120, 400))
    })
    const strength = `${sent} messages of ${cjkBytes} bytes for ${silent.length} people, ${rate(sent, startedAt)}`
    const own = await stand.socket(talking[0]!, 0)
    return [
      check('what is for them is taken', sent > 0, strength),
      // The bound itself is that of the resident memory, which is looked at in every attack.
      check('the node greets others', own.hello.event === 'hello', own.hello.node),
    ]
  },
}

/** @returns how many were acknowledged */
async function talk(sockets: readonly TestSocket[], conversation: string, count: number): Promise<number> {
  let left = count
  let sent = 0
  const say = async (socket: TestSocket) => {
    while (left-- > 0) {
      const command = { conversation, clientId: randomUUID(), body: { text: cjk } }
      const isTaken = await socket.request('message.send', command, 30_000).then(
        () => true,
        () => pause(refusedMs, false),
      )
      if (isTaken) sent++
    }
  }
  await Promise.all(sockets.map(say))
  return sent
}
