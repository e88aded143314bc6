/** A frame that is refused costs as well: a flood of them is closed like one of frames that work. */
import { setTimeout as pause } from 'node:timers/promises'
import { limits } from '@flotilla/protocol'
import { type Attack, again, atMost, type Check, check, rate } from '../attack.ts'
import type { Person } from '../stand.ts'

/** Generous: the burst of a connection, and as many refusals again as it is told of. */
const answeredMax = 1_500

export const oversizeFrames: Attack = {
  name: 'oversize-frames',
  by: 'somebody with an account',
  tries: 'to keep a node busy with thousands of frames that are too large, and of frames that are nonsense',
  isFlood: true,
  async run(stand, begins) {
    const oversize = JSON.stringify({ id: 1, op: 'ping', more: 'x'.repeat(limits.frameBytesMax) })
    const nonsense = JSON.stringify({ id: 1, op: 'no.such.op' })
    const checks: Check[] = []
    await begins()
    const flood = async (what: string, frame: string) => {
      const [person] = (await stand.people(1)) as [Person]
      const socket = await stand.socket(person, 0)
      const count = stand.size(2_000, 8_000)
      const startedAt = performance.now()
      let nth = 0
      for (; nth < count && socket.open; nth++) {
        const sent = socket.sendRaw(frame).catch(() => {})
        if (nth % 50 === 0) await sent
      }
      const strength = `${nth.toLocaleString('en-US')}, ${rate(nth, startedAt)}`
      const closed = await Promise.race([socket.closed, pause(10_000)])
      const answered = socket.received.filter(one => 'error' in one).length
      checks.push(
        check(
          `a flood of frames that are ${what} is closed`,
          closed !== undefined,
          `${closed?.reason ?? 'still open'} after ${strength}`,
        ),
        atMost(`answers to frames that are ${what}`, answeredMax, answered),
      )
    }
    await again(stand, async () => {
      checks.length = 0
      await flood('too large', oversize)
      await flood('nonsense', nonsense)
    })
    return checks
  },
}
