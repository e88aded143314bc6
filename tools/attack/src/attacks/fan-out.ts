/** A command weighs what it fans out to: one account cannot make a node write a million frames. */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { makeConversation, type TestSocket } from '@flotilla/testing'
import { type Attack, atMost, check, inBatches, rate } from '../attack.ts'
import type { Person } from '../stand.ts'

/** Messages are one kind, typing is another: each has as much. */
const kinds = 2
/** Somebody may listen on several sockets, and each gateway lends a burst before it is settled. */
const slack = 1.5
/** After a connection that was refused. */
const closedMs = 500

export const fanOut: Attack = {
  name: 'fan-out',
  by: 'a member',
  tries: 'to flood a large group with typing and sends from many sockets, while many sockets listen',
  isFlood: true,
  async run(stand, begins) {
    const seconds = stand.size(2, 15)
    const listeners = await stand.people(stand.size(100, 400))
    const [flooder, partner] = (await stand.people(2)) as [Person, Person]
    const conversation = await makeConversation(
      stand.pool,
      [flooder, partner, ...listeners].map(({ user }) => user),
    )
    let frames = 0
    const ears = [...listeners, ...Array.from({ length: 24 }, () => partner)].map((person, nth) => ({ person, nth }))
    await inBatches(ears, 25, ({ person, nth }) =>
      stand.socket(person, nth % 2, { keep: false, onFrame: () => void frames++ }),
    )
    const mouths = Array.from({ length: 16 }, (_, nth) => () => stand.socket(flooder, nth % 2, { keep: false }))
    await begins()
    frames = 0
    const startedAt = performance.now()
    const { tried, accepted } = await flood(mouths, conversation, seconds)
    const strength = `${accepted} of ${rate(tried, startedAt)}`
    await pause(500)
    const took = (performance.now() - startedAt) / 1_000
    const { fanoutBurst, fanoutPerSecond } = stand.bounds
    const framesMax = Math.ceil(kinds * slack * (stand.gateways.length * fanoutBurst + fanoutPerSecond * took))
    return [
      check('a few of its sends are taken', accepted > 0, strength),
      atMost(`frames that it makes the fleet write in ${Math.round(took)} s`, framesMax, frames),
    ]
  },
}

/** @returns how many commands were sent, and how many sends were acknowledged */
async function flood(mouths: readonly (() => Promise<TestSocket>)[], conversation: string, seconds: number) {
  let [tried, accepted] = [0, 0]
  const end = performance.now() + seconds * 1_000
  await Promise.all(
    mouths.map(async open => {
      let socket = await open()
      while (performance.now() < end) {
        // Whoever is closed for flooding comes again, as long as that is let in.
        if (!socket.open) socket = await open().catch(() => pause(closedMs, socket))
        if (!socket.open) continue
        tried += 3
        socket.tell('typing.start', { conversation })
        socket.tell('typing.stop', { conversation })
        socket.request('message.send', { conversation, clientId: randomUUID(), body: { text: 'x' } }).then(
          () => void accepted++,
          () => {},
        )
        await pause(5)
      }
    }),
  )
  return { tried, accepted }
}
