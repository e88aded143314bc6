/** What a gateway is told by whoever starts it: main.ts out of the environment, standalone and tests by themselves. */
import type { ChatSettings, MasterKey, Pool, StoreClock } from '@flotilla/chat'
import type { RoutingStore } from '@flotilla/routing'
import type { Logger, Registry, SecretKey, TraceEntry } from '@flotilla/service'
import type { AddressSettings } from './addresses.ts'
import type { ShedSettings } from './shed.ts'

export interface GatewayOptions extends AddressSettings {
  readonly pool: Pool
  readonly routing: RoutingStore
  readonly logger: Logger
  readonly registry: Registry
  readonly masterKeys: readonly MasterKey[]
  readonly ticketKeys: readonly SecretKey[]
  readonly nodeId: string
  readonly region: string
  readonly publicUrl: string
  readonly host: string
  readonly port: number
  readonly connectionsMax: number
  readonly connectsPerSecond: number
  readonly commandsPerSecond: number
  readonly commandsBurst: number
  readonly commandsInFlightMax: number
  readonly sendQueueBytesMax: number
  /** Of all connections together. */
  readonly sendQueuesBytesMax: number
  /** How long a client may take nothing of what waits for it. */
  readonly readStallMsMax: number
  readonly connectionsPerSessionMax: number
  readonly connectionsPerPersonMax: number
  /** In a minute, over the whole fleet. */
  readonly connectsPerPersonMax: number
  /** Sockets that may be open, greeted or not; without it, as many as come. */
  readonly socketsMax?: number
  /** Connections that are told to read anew a second. */
  readonly refreshesPerSecond: number
  readonly pingIntervalMs: number
  readonly reconnect: { readonly baseMs: number; readonly maxMs: number }
  readonly drainMs: number
  /** How it gives connections to emptier gateways; missing: never. */
  readonly shed?: Omit<ShedSettings, 'connectsPerSecond'>
  readonly allowedOrigins: readonly string[]
  readonly chat?: Partial<ChatSettings>
  /** Missing when nothing is traced. */
  readonly trace?: TraceEntry
  /** Missing where time is that of the store, as it is in every process. */
  readonly clock?: StoreClock
  readonly random?: () => number
}
