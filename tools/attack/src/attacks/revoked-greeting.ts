/** A session that ends while its socket is being greeted: whoever checks, then registers, must look again. */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { connectSocket, makeConversation, SocketClosedError, startFaultProxy } from '@flotilla/testing'
import { type Attack, check } from '../attack.ts'
import type { Person } from '../stand.ts'

/** As long as Redis was stalled when it was found. */
const stallMs = 1_300
const closedWithinMs = 10_000

export const revokedGreeting: Attack = {
  name: 'revoked-greeting',
  by: 'a session that was revoked',
  tries: 'to be greeted while it is revoked, on a gateway whose Redis is slow, and to send for ever after',
  async run(stand) {
    const proxy = await startFaultProxy({ target: { host: '127.0.0.1', port: stand.redis.port } })
    stand.afterwards(() => proxy.close())
    stand.stallGateway(`redis://127.0.0.1:${proxy.port}`)
    const gateway = await stand.fleet.add()
    stand.afterwards(() => gateway.kill())
    const [thief, friend] = (await stand.people(2)) as [Person, Person]
    const conversation = await makeConversation(stand.pool, [thief.user, friend.user], 'direct')

    // Each way takes half of it.
    proxy.set({ latencyMs: stallMs / 2 })
    const greeting = connectSocket({ url: gateway.directUrl, ticket: stand.fleet.ticket(thief.user, thief.session) })
    const outcome = greeting.then(
      async socket => {
        stand.afterwards(() => socket.terminate())
        const closed = await Promise.race([socket.closed, pause(closedWithinMs)])
        const sent = await socket
          .request('message.send', { conversation, clientId: randomUUID(), body: { text: 'still here' } }, 5_000)
          .then(
            () => 'acknowledged',
            (error: unknown) => String(error),
          )
        return { closed: closed === undefined ? 'still open' : closed.code, sent }
      },
      (error: unknown) => ({ closed: error instanceof SocketClosedError ? error.code : String(error), sent: 'never' }),
    )
    await pause(stallMs / 6)
    await stand.must(`DELETE /v1/sessions/current`, { token: thief.token(), from: thief.from })
    const { closed, sent } = await outcome
    proxy.set({ latencyMs: 0 })
    return [
      check('its socket is closed', closed !== 'still open', closed),
      check('nothing that it sends is taken', sent !== 'acknowledged', sent),
    ]
  },
}
