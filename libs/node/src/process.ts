/**
 * How every process of the fleet begins and ends: the port for operators first, so that whoever waits sees for what; then
 * the schema, the stores and traces; at the end its own steps, then these in reverse.
 */
import { createPool, type Pool, prepareSchema } from '@flotilla/chat'
import { createRedisRouting, type NodeInfo, type RoutingStore } from '@flotilla/routing'
import {
  createLogger,
  createRegistry,
  type DrainStep,
  drainOnSignal,
  type Logger,
  openTracing,
  type Registry,
  serveHealth,
  type TraceEntry,
} from '@flotilla/service'
import type { NodeValues } from './settings.ts'

export interface NodeProcessOptions {
  readonly kind: NodeInfo['kind']
  readonly settings: NodeValues
  /** What the end may take altogether. */
  readonly drainMsMax: number
}

export interface NodeProcess {
  readonly logger: Logger
  readonly registry: Registry
  readonly pool: Pool
  readonly routing: RoutingStore
  /** Undefined when nothing is traced. */
  readonly trace: TraceEntry | undefined
  /** Why nobody should be sent here at present; undefined when they may. */
  unready(): string | undefined
  /** What ends it, the stores left out. Until this is called a signal ends the process at once. */
  endWith(...steps: readonly DrainStep[]): void
  /** It takes work from now on, unless `unready` has a reason. */
  ready(unready: () => string | undefined): void
}

export async function startNode({ kind, settings, drainMsMax }: NodeProcessOptions): Promise<NodeProcess> {
  const logger = createLogger(kind, settings.LOG_LEVEL)
  const registry = createRegistry({ node: settings.NODE_ID, region: settings.REGION })
  const applicationName = `flotilla-${kind} ${settings.NODE_ID}`
  let draining = false
  let unready = (): string | undefined => 'starting'
  const whyUnready = () => (draining ? 'draining' : unready())
  const steps: DrainStep[] = []
  drainOnSignal({ logger, drainMsMax, steps })
  const health = await serveHealth({
    host: settings.OPERATOR_HOST,
    port: settings.OPERATOR_PORT,
    registry,
    ready: whyUnready,
  })
  await prepareSchema({
    url: settings.DATABASE_URL,
    migrates: settings.MIGRATE,
    waitMsMax: settings.MIGRATE_WAIT_MS,
    logger,
    onWait: reason => (unready = () => reason),
    applicationName,
  })
  unready = () => 'starting'
  const pool = createPool({
    url: settings.DATABASE_URL,
    connectionsMax: settings.DATABASE_CONNECTIONS_MAX,
    logger,
    applicationName,
  })
  const routing = await createRedisRouting({ url: settings.REDIS_URL, fleetKeys: settings.MASTER_KEYS, logger })
  const tracing = await openTracing({
    url: settings.TRACES_URL,
    oneIn: settings.TRACES_ONE_IN,
    name: kind,
    node: settings.NODE_ID,
    region: settings.REGION,
    logger,
  })
  return {
    logger,
    registry,
    pool,
    routing,
    trace: tracing?.trace,
    unready: whyUnready,
    endWith: (...own) =>
      void steps.push(
        { name: 'readiness', run: () => void (draining = true) },
        ...own,
        { name: 'redis', run: () => routing.close() },
        { name: 'postgresql', run: () => pool.end() },
        { name: 'traces', run: () => tracing?.close() },
        { name: 'operator port', run: () => health.close() },
      ),
    ready: reason => void (unready = reason),
  }
}
