/** The settings that every process of the fleet has, whatever it does there. */
import { checkDatabaseUrl, databaseUrlSentence } from '@flotilla/chat'
import { checkRedisUrl, redisUrlSentence } from '@flotilla/routing'
import {
  choice,
  flag,
  integer,
  parseListenHost,
  parseNodeName,
  port,
  requiredKeys,
  requiredUrl,
  text,
  tracingSettings,
  type Values,
} from '@flotilla/service'

/** Of whoever opens the store, a process or one command. */
export const storeSettings = {
  DATABASE_URL: requiredUrl(databaseUrlSentence, checkDatabaseUrl),
  MASTER_KEYS: requiredKeys(
    'Keys that wrap the data keys of bodies: `id:base64 of 32 bytes`, comma-separated; the first wraps, all unwrap.',
  ),
  LOG_LEVEL: choice(
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    'info',
    'The lowest level that is logged.',
  ),
}

/** @param own what differs between them: the default name, and the default port for operators */
export const nodeSettings = (own: { readonly id: string; readonly operatorPort: number }) => ({
  OPERATOR_HOST: {
    ...text(
      '127.0.0.1',
      'The address of /healthz, /readyz and /metrics. `0.0.0.0` opens them to other machines: scrapers and Kubernetes probes.',
    ),
    parse: parseListenHost,
  },
  OPERATOR_PORT: port(own.operatorPort, 'The port of /healthz, /readyz and /metrics.'),
  NODE_ID: {
    ...text(own.id, 'The name of this process; unique in its region. Letters, digits, `.`, `-` and `_`.'),
    parse: parseNodeName,
  },
  REGION: { ...text('local', 'The region that this process belongs to.'), parse: parseNodeName },
  ...storeSettings,
  REDIS_URL: requiredUrl(redisUrlSentence, checkRedisUrl),
  MIGRATE: flag(true, 'Whether to migrate the database on start; otherwise the process waits until another has.'),
  MIGRATE_WAIT_MS: integer(
    300_000,
    { min: 0, max: 3_600_000 },
    'How long to wait on start for PostgreSQL, and for whoever migrates, before the process gives up.',
  ),
  ...tracingSettings,
})

/** DATABASE_CONNECTIONS_MAX has other bounds in each process. */
export type NodeValues = Values<ReturnType<typeof nodeSettings>> & { readonly DATABASE_CONNECTIONS_MAX: number }
