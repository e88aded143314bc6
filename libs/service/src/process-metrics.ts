/** The figures that every process of the fleet has: its pool of connections, its store, its way to the other nodes. */
import { totalmem } from 'node:os'
import { counter, gauge, openMetrics, type Registry } from './metrics.ts'

/** What a pool of PostgreSQL connections says of itself. */
export interface PoolFigures {
  readonly totalCount: number
  readonly idleCount: number
  readonly waitingCount: number
  readonly options: { readonly max?: number | undefined }
}

/** What a node of the routing has counted since its start. */
export interface RoutingFigures {
  readonly frames: number
  readonly publishes: number
  readonly publishedBytes: number
  readonly lookups: number
  readonly unheard: number
  readonly unsent: number
  readonly absences: number
  readonly envelopes: number
  readonly envelopeFrames: number
  readonly malformed: number
  readonly belated: number
  readonly repeated: number
  readonly beats: number
  readonly fences: number
  readonly restores: number
  readonly renewals: number
  readonly sweeps: number
  readonly suspects: Readonly<Record<SuspectReason, number>>
  readonly refusals: Readonly<Partial<Record<RedisFailure, number>>>
}

const suspectReasons = ['deaf', 'fenced', 'stalled', 'entries_lost', 'gap', 'unreadable', 'node_died', 'told'] as const
type SuspectReason = (typeof suspectReasons)[number]

const redisFailures = [
  'readonly',
  'masterdown',
  'noreplicas',
  'noauth',
  'loading',
  'busy',
  'tryagain',
  'clusterdown',
  'oom',
  'misconf',
  'wrongpass',
  'noperm',
  'denied',
] as const
type RedisFailure = (typeof redisFailures)[number]

export const processMetrics = {
  flotilla_memory_limit_bytes: gauge(
    'bytes',
    'Memory limit of the process: that of its container, or else the machine’s memory',
  ),
  flotilla_postgres_connections: gauge('connections', 'Connections to PostgreSQL held by the process', {
    state: ['busy', 'idle'],
  }),
  flotilla_postgres_connections_max: gauge('connections', 'Limit of those connections'),
  flotilla_postgres_waiting: gauge('queries', 'Queries waiting for a connection to PostgreSQL'),
  flotilla_clock_skew_seconds: gauge(
    'seconds',
    'How far the clock of this machine is ahead of PostgreSQL’s, which is authoritative; negative when behind',
  ),
  flotilla_store_up: gauge('1 or 0', '1 while PostgreSQL answers the health check that runs every second'),
  flotilla_store_writable: gauge(
    '1 or 0',
    '1 while PostgreSQL also accepts writes: not a standby, not read-only, not out of space',
  ),
  flotilla_routing_up: gauge('1 or 0', '1 while Redis answers, the lease is held and all local clients are registered'),
  flotilla_routing_frames_total: counter('frames', 'Frames routed from this node'),
  flotilla_routing_publishes_total: counter('envelopes', 'Envelopes published to other nodes'),
  flotilla_routing_published_bytes_total: counter('bytes', 'Size of those envelopes, in characters of JSON'),
  flotilla_routing_lookups_total: counter('look-ups', 'Presence look-ups in Redis; one serves many frames'),
  flotilla_routing_unheard_total: counter('envelopes', 'Envelopes without a subscriber'),
  flotilla_routing_unsent_total: counter('frames', 'Frames not sent to other nodes because Redis was unreachable'),
  flotilla_routing_absences_total: counter('entries', 'Recipients who were connected nowhere, counted once per entry'),
  flotilla_routing_envelopes_total: counter('envelopes', 'Envelopes received from other nodes'),
  flotilla_routing_envelope_frames_total: counter('frames', 'Frames in those envelopes'),
  flotilla_routing_malformed_total: counter('envelopes', 'Envelopes that could not be parsed or opened'),
  flotilla_routing_belated_total: counter('envelopes', 'Envelopes for a previous generation of this node'),
  flotilla_routing_repeated_total: counter('envelopes', 'Duplicate envelopes, dropped'),
  flotilla_routing_beats_total: counter('beats', 'Lease renewals'),
  flotilla_routing_fences_total: counter('leases', 'Leases lost because the process stalled for too long'),
  flotilla_routing_restores_total: counter('times', 'Full re-registrations in Redis'),
  flotilla_routing_renewals_total: counter('times', 'Inboxes found deaf and reopened'),
  flotilla_routing_sweeps_total: counter('nodes', 'Dead nodes swept by this one'),
  flotilla_routing_suspects_total: counter('times', 'Suspected losses that triggered healing', {
    reason: suspectReasons,
  }),
  flotilla_redis_refusals_total: counter(
    'commands',
    'Commands that Redis refused, by error prefix; the log explains it',
    { reason: redisFailures },
  ),
} as const

/** Has the figures of a process read. Once in each process, whatever it is composed of. */
export function measureProcess(
  registry: Registry,
  parts: {
    readonly pool: PoolFigures
    readonly chat: { readonly pulse: { alive(): boolean; writable(): boolean }; clockSkewMs(): number }
    readonly node: { readonly stats: RoutingFigures; state(): string }
  },
): void {
  const { pool, chat, node } = parts
  const { read } = openMetrics(registry, processMetrics)
  read('flotilla_memory_limit_bytes', memoryLimitBytes)
  read('flotilla_postgres_connections', () => ({ busy: pool.totalCount - pool.idleCount, idle: pool.idleCount }))
  read('flotilla_postgres_connections_max', () => pool.options.max ?? 0)
  read('flotilla_postgres_waiting', () => pool.waitingCount)
  read('flotilla_clock_skew_seconds', () => chat.clockSkewMs() / 1_000)
  read('flotilla_store_up', () => (chat.pulse.alive() ? 1 : 0))
  read('flotilla_store_writable', () => (chat.pulse.writable() ? 1 : 0))
  read('flotilla_routing_up', () => (node.state() === 'up' ? 1 : 0))
  read('flotilla_routing_frames_total', () => node.stats.frames)
  read('flotilla_routing_publishes_total', () => node.stats.publishes)
  read('flotilla_routing_published_bytes_total', () => node.stats.publishedBytes)
  read('flotilla_routing_lookups_total', () => node.stats.lookups)
  read('flotilla_routing_unheard_total', () => node.stats.unheard)
  read('flotilla_routing_unsent_total', () => node.stats.unsent)
  read('flotilla_routing_absences_total', () => node.stats.absences)
  read('flotilla_routing_envelopes_total', () => node.stats.envelopes)
  read('flotilla_routing_envelope_frames_total', () => node.stats.envelopeFrames)
  read('flotilla_routing_malformed_total', () => node.stats.malformed)
  read('flotilla_routing_belated_total', () => node.stats.belated)
  read('flotilla_routing_repeated_total', () => node.stats.repeated)
  read('flotilla_routing_beats_total', () => node.stats.beats)
  read('flotilla_routing_fences_total', () => node.stats.fences)
  read('flotilla_routing_restores_total', () => node.stats.restores)
  read('flotilla_routing_renewals_total', () => node.stats.renewals)
  read('flotilla_routing_sweeps_total', () => node.stats.sweeps)
  read('flotilla_routing_suspects_total', () => node.stats.suspects)
  read('flotilla_redis_refusals_total', () => node.stats.refusals)
}

/** Without a limit the kernel names a number above all machines, or none. */
function memoryLimitBytes(): number {
  const constrained = process.constrainedMemory()
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem()
}
