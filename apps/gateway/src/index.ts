export { gatewaySettings, readGatewaySettings } from './config.ts'
export { createGateway, type Gateway } from './gateway.ts'
export type { GatewayOptions } from './options.ts'
export { gatewayMetrics } from './metrics.ts'
