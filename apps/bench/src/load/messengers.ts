/** Makes the messenger of a side. */
import { parseSecretKeys, type SecretKey } from '@flotilla/service'
import { CentrifugoMessenger } from './centrifugo-messenger.ts'
import { FlotillaMessenger } from './flotilla-messenger.ts'
import type { FrameMemory } from './frame-memory.ts'
import type { Address, Messenger, MessengerEvents, Person } from './messenger.ts'
import { RelayMessenger } from './relay-messenger.ts'
import { SocketIoMessenger } from './socketio-messenger.ts'
import { UwsMessenger } from './uws-messenger.ts'

export type SideName = 'flotilla' | 'socketio' | 'uws' | 'relay' | 'centrifugo'

/** Where the load connects to, and as whom it signs in. */
export interface Fleet {
  readonly side: SideName
  readonly nodes: readonly Address[]
  /** The keys of the tickets, as settings of a gateway; of Centrifugo the secret of its tokens. */
  readonly ticketKeys: string
}

/** @param node which of the nodes; counted round when there are fewer */
export function createMessenger(
  fleet: Fleet,
  node: number,
  person: Person,
  events: MessengerEvents,
  memory?: FrameMemory,
): Messenger {
  const address = fleet.nodes[node % fleet.nodes.length]!
  if (fleet.side === 'uws') return new UwsMessenger(address, person, events, memory)
  if (fleet.side === 'relay') return new RelayMessenger(address, person, events)
  if (fleet.side === 'centrifugo') return new CentrifugoMessenger(address, fleet.ticketKeys, person, events)
  const keys = keysOf(fleet.ticketKeys)
  if (fleet.side === 'flotilla') return new FlotillaMessenger(address, keys, person, events, memory)
  return new SocketIoMessenger(address, keys, person, events, memory)
}

const parsed = new Map<string, readonly SecretKey[]>()
export function keysOf(text: string): readonly SecretKey[] {
  const keys = parsed.get(text) ?? parseSecretKeys(text)
  parsed.set(text, keys)
  return keys
}

/** Opens connections, so many at a time: a server's queue of connections to accept is short. */
export async function connectAll(
  count: number,
  atOnce: number,
  connect: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0
  const worker = async () => {
    while (next < count) await connect(next++)
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, worker))
}

const ticksPerInterval = 100

/**
 * Pings as a client does, until the process ends: each once in the interval, spread evenly over it. Without, a gateway
 * closes those that only receive, and those that rest while another side is measured.
 */
export function keepPinging(messengers: readonly Messenger[], intervalMs = 25_000): void {
  let tick = 0
  const pings = setInterval(() => {
    tick = (tick + 1) % ticksPerInterval
    for (let at = tick; at < messengers.length; at += ticksPerInterval) messengers[at]!.ping()
  }, intervalMs / ticksPerInterval)
  pings.unref()
}
