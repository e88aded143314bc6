/** Somebody who is in thousands of groups costs what a page costs, one at a time, and starves nobody. */
import { setTimeout as pause } from 'node:timers/promises'
import { makeConversations, type TestSocket } from '@flotilla/testing'
import { type Attack, again, atMost, check, none, rate } from '../attack.ts'
import { replyBytesMax } from '../bodies.ts'
import type { Person, Stand } from '../stand.ts'

const batch = 2_000
const parallel = 20
/** After a resume that was refused. */
const refusedMs = 50

export const endlessResume: Attack = {
  name: 'endless-resume',
  by: 'somebody with an account',
  tries: 'to resume from nothing, twenty times at once, as somebody who is in thousands of groups',
  isFlood: true,
  async run(stand, begins) {
    const [hoarder, other, bystander] = (await stand.people(3)) as [Person, Person, Person]
    const count = stand.size(4_000, 20_000)
    for (let made = 0; made < count; made += batch) {
      const planned = { kind: 'group' as const, members: [hoarder.user, other.user] }
      const groups = await makeConversations(
        stand.pool,
        Array.from({ length: Math.min(batch, count - made) }, () => planned),
      )
      // So far along that their entries are not in the answer itself: each has its verdict, and nothing is read.
      await stand.pool.query('UPDATE conversations SET head_seq = 5000 WHERE id = ANY($1)', [groups])
    }
    let [largest, answered] = [0, 0]
    const failed: string[] = []
    const resume = async (socket: TestSocket) => {
      const answer = await socket.request('sync.resume', { cursors: [] }, 60_000).catch((error: unknown) => {
        failed.push(String(error))
        return pause(refusedMs, undefined)
      })
      if (answer === undefined) return
      answered++
      largest = Math.max(largest, Buffer.byteLength(JSON.stringify(answer)))
    }
    const sockets = await Promise.all(Array.from({ length: parallel }, (_, nth) => openSocket(stand, hoarder, nth)))
    const open = sockets.filter(socket => socket !== undefined)
    await begins()
    const startedAt = performance.now()
    const resuming = Promise.all(open.map(socket => again(stand, () => resume(socket))))
    const calm = await stand.socket(bystander, 0).catch(() => undefined)
    const isServed = calm?.request('sync.resume', { cursors: [] }, 60_000).then(
      () => true,
      () => false,
    )
    const served = (await isServed) === true
    await resuming
    const strength = `${answered} of ${answered + failed.length}, ${rate(answered, startedAt)}`
    return [
      check('resumes are answered', answered > 0, strength),
      atMost('the largest answer to a resume', replyBytesMax, largest, ' bytes'),
      none(
        'resumes that failed without saying when to come back',
        failed.filter(text => !/rate_limited|overloaded|SocketClosed|too_many|closed/.test(text)),
      ),
      check('somebody else resumes meanwhile', served, served),
    ]
  },
}

const openSocket = (stand: Stand, person: Person, nth: number) => stand.socket(person, nth % 2).catch(() => undefined)
