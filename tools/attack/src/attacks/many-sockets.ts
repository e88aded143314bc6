/** Sockets are counted: for each session, each person and each address, over all gateways. */
import { setTimeout as pause } from 'node:timers/promises'
import { connectSocket } from '@flotilla/testing'
import { type Attack, again, atMost, check, inBatches, rate } from '../attack.ts'
import type { Person, Stand } from '../stand.ts'

/** The defaults of CONNECTIONS_PER_SESSION_MAX and CONNECTIONS_PER_PERSON_MAX, counted by each gateway alone. */
const perSessionMax = 16
const perPersonMax = 64
const atOnce = 25
/** By then those that are one too many are closed. */
const settleMs = 1_500

export const manySockets: Attack = {
  name: 'many-sockets',
  by: 'somebody with an account',
  tries: 'to hold hundreds of sockets with one session, as one person, and from one address',
  isFlood: true,
  async run(stand, begins) {
    const gateways = stand.gateways.length
    const [single, person] = (await stand.people(2)) as [Person, Person]
    const sessions = await stand.sessions(Array.from({ length: 20 }, () => person.user))
    const { socketsPerAddressMax } = stand.bounds
    const crowd = await stand.people(Math.ceil(socketsPerAddressMax * gateways * 1.5))
    const from = stand.address()
    await begins()
    const startedAt = performance.now()
    let opened = 0
    const most = [0, 0, 0] as [number, number, number]
    await again(stand, async () => {
      const found = await Promise.all([
        openMany(stand, stand.size(60, 1_000), () => single),
        openMany(stand, stand.size(150, 1_000), nth => ({ ...person, session: sessions[nth % sessions.length]! })),
        openMany(stand, crowd.length, nth => ({ ...crowd[nth]!, from })),
      ])
      for (const [nth, one] of found.entries()) {
        opened += one.opened
        most[nth] = Math.max(most[nth]!, one.left)
      }
    })
    const [ofSession, ofPerson, ofAddress] = most
    const strength = `${opened.toLocaleString('en-US')}, ${rate(opened, startedAt)}`
    const other = await stand.socket(crowd[0]!).then(
      ({ hello }) => hello.event,
      (error: unknown) => String(error),
    )
    return [
      check('sockets that were opened', opened > 0, strength),
      atMost('sockets that stay open with one session', perSessionMax * gateways, ofSession),
      atMost('sockets that stay open of one person', perPersonMax * gateways, ofPerson),
      // Until the gateways have told each other, each counts for itself.
      atMost('sockets that stay open from one address', socketsPerAddressMax * gateways, ofAddress),
      check('somebody else is let in meanwhile', other === 'hello', other),
    ]
  },
}

/** @returns how many were greeted, and how many stay open; all are ended */
async function openMany(stand: Stand, count: number, who: (nth: number) => Person) {
  const numbers = Array.from({ length: count }, (_, nth) => nth)
  const opened = await inBatches(numbers, atOnce, nth => {
    const { user, session, from } = who(nth)
    const { directUrl: url } = stand.gateways[nth % stand.gateways.length]!
    const ticket = stand.fleet.ticket(user, session)
    return connectSocket({ url, ticket, headers: { 'x-forwarded-for': from }, keep: false }).catch(() => undefined)
  })
  const open = opened.filter(socket => socket !== undefined)
  await pause(settleMs)
  const left = open.filter(socket => socket.open).length
  await Promise.all(open.map(socket => socket.terminate()))
  return { opened: open.length, left }
}
