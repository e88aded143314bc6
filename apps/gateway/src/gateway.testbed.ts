/** For the tests: what a gateway is told in them, unless they say otherwise. */
import type { GatewayOptions } from './options.ts'

export const testGateway = {
  region: 'test',
  publicUrl: '',
  host: '127.0.0.1',
  port: 0,
  connectionsMax: 1_000,
  connectsPerSecond: 1_000,
  commandsPerSecond: 1_000,
  commandsBurst: 1_000,
  commandsInFlightMax: 128,
  sendQueueBytesMax: 1_048_576,
  sendQueuesBytesMax: 134_217_728,
  readStallMsMax: 30_000,
  connectionsPerSessionMax: 16,
  connectionsPerPersonMax: 64,
  connectsPerPersonMax: 10_000,
  connectsPerAddressMax: 100_000,
  socketsPerAddressMax: 100_000,
  trustedProxies: [],
  addressHeader: 'x-forwarded-for',
  refreshesPerSecond: 1_000,
  pingIntervalMs: 25_000,
  reconnect: { baseMs: 500, maxMs: 30_000 },
  drainMs: 0,
  allowedOrigins: [],
} as const satisfies Partial<GatewayOptions>
