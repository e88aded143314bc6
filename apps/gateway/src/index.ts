export { gatewaySettings, readGatewaySettings } from './config.ts'
export { createGateway, type Gateway, type GatewayOptions } from './gateway.ts'
export { gatewayMetrics } from './metrics.ts'
