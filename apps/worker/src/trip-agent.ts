/**
 * Tells each send what became of its request: whether it may have gone out, and by which connection. A push that may have
 * arrived must not be repeated too soon, and libraries do not say.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { ClientRequest, ClientRequestArgs } from 'node:http'
import { Agent } from 'node:https'
import type { Duplex } from 'node:stream'

/** One send. */
export interface Trip {
  /** The connection stands, so the request may have gone out. */
  sent: boolean
  socket: Duplex | undefined
  /** Its time is over: nothing may go out any more. */
  late: boolean
}

/** What is asked for inside `run` belongs to that trip. */
export const trips = new AsyncLocalStorage<Trip>()

export const newTrip = (): Trip => ({ sent: false, socket: undefined, late: false })

/** Services close idle connections; a request that is just going out then would be lost. */
const idleMs = 20_000

/** There is no limit on sockets here: a request that waits for one would forget its trip. */
export class TripAgent extends Agent {
  readonly #connect: (() => Duplex) | undefined

  /** @param connect instead of TLS to where the request wants to go; for tests */
  constructor(connect?: () => Duplex) {
    super({ keepAlive: true, timeout: idleMs })
    this.#connect = connect
  }

  override createConnection(
    options: ClientRequestArgs,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | null | undefined {
    const trip = trips.getStore()
    if (trip?.late === true) throw new Error('unable to connect: it is too late')
    const socket = this.#connect?.() ?? super.createConnection(options, callback)
    if (trip !== undefined && socket !== null && socket !== undefined) {
      trip.socket = socket
      socket.once(this.#connect === undefined ? 'secureConnect' : 'connect', () => (trip.sent = true))
    }
    return socket
  }

  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    const trip = trips.getStore()
    if (trip?.late === true) return void request.destroy(new Error('unable to send: it is too late'))
    if (trip !== undefined) Object.assign(trip, { socket, sent: true })
    super.reuseSocket(socket, request)
  }
}
