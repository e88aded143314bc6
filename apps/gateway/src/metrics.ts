/** The figures of a gateway, beside those of every process. docs/metrics.md is made from the declarations. */
import type { ChatContext } from '@flotilla/chat'
import { type CloseName, closeCodes, errors } from '@flotilla/protocol'
import { up } from '@flotilla/protocol/schemas'
import {
  counter,
  gauge,
  histogram,
  latencyBucketsSeconds,
  openMetrics,
  readTogether,
  type Registry,
} from '@flotilla/service'
import type { Connection } from './connection.ts'

/** Of a delivery: what a person notices, and what a node that was away makes them wait. */
const deliveryBucketsSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const
const batchBuckets = [1, 2, 4, 8, 16, 32, 64, 128, 256] as const

const ops = [...Object.keys(up), 'unknown']
const closeNames = Object.keys(closeCodes)

export const gatewayMetrics = {
  flotilla_connections: gauge('connections', 'Open connections, after the handshake'),
  flotilla_connections_max: gauge('connections', 'Connection limit of this node: CONNECTIONS_MAX'),
  flotilla_connects_total: counter('connections', 'Completed handshakes'),
  flotilla_connects_refused_total: counter(
    'connections',
    'Refused connections: before the upgrade (`address`, `flood`, `origin`), or with a close code before `hello`',
    { reason: ['address', 'flood', 'origin', ...closeNames] },
  ),
  flotilla_disconnects_total: counter(
    'connections',
    'Closed sockets, with or without a handshake: by the name of the close code, `client` when the client closed, `lost` without a close frame',
    { code: ['client', 'lost', ...closeNames] },
  ),
  flotilla_frames_received_total: counter('frames', 'Frames from clients'),
  flotilla_frames_sent_total: counter('frames', 'Frames to clients: events, replies, errors'),
  flotilla_frames_dropped_total: counter(
    'frames',
    'Frames dropped for slow readers. After a dropped `signal` the client gets `refresh`; the next frame makes up for an `ephemeral` one. Entries are never dropped: the connection is closed and resumes',
    { class: ['signal', 'ephemeral'] },
  ),
  flotilla_refreshes_total: counter(
    'connections',
    'Connections that were sent `refresh`, after a signal was dropped or may have been lost in Redis',
  ),
  flotilla_refreshes_owed: gauge('connections', 'Connections that are still to be sent `refresh`'),
  flotilla_command_seconds: histogram(
    'seconds',
    latencyBucketsSeconds,
    'Time from a command to its reply; for `message.send`, to the acknowledgement, commit included; for `history.page` and `sync.resume`, including the wait until the client has read the previous reply',
    { op: ops },
  ),
  flotilla_commands_total: counter('commands', 'Commands by outcome: `ok` or the code of the error', {
    op: ops,
    outcome: ['ok', ...Object.keys(errors)],
  }),
  flotilla_faults_total: counter('errors', 'Unexpected errors; the log has them'),
  flotilla_messages_total: counter('entries', 'Entries committed by this process, repeated sends not counted'),
  flotilla_delivery_seconds: histogram(
    'seconds',
    deliveryBucketsSeconds,
    'Time from the commit of an entry, on any node, to the sockets here; once per entry, by the clock of PostgreSQL',
  ),
  flotilla_commit_batch_entries: histogram('entries', batchBuckets, 'Entries committed in one statement'),
  flotilla_commit_seconds: histogram('seconds', latencyBucketsSeconds, 'Time to commit a batch, retries included'),
  flotilla_commit_queue: gauge('entries', 'Entries waiting for their commit, or being committed'),
  flotilla_commit_retries_total: counter('batches', 'Batches retried because PostgreSQL did not answer'),
  flotilla_commit_stale_total: counter('entries', 'Entries rechecked because the membership had changed'),
  flotilla_commit_repeated_total: counter('entries', 'Repeated sends of entries already stored'),
  flotilla_receipt_queue: gauge('receipts', 'Receipts waiting to be written'),
  flotilla_heal_rounds_total: counter('rounds', 'Healing rounds: devices are told the heads of their conversations'),
  flotilla_send_queue_bytes: gauge('bytes', 'Bytes queued in this process for sockets that read too slowly'),
  flotilla_send_queue_bytes_max: gauge('bytes', 'Bytes queued for the slowest socket'),
  flotilla_slow_connections: gauge('connections', 'Sockets with more than a quarter of SEND_QUEUE_BYTES_MAX queued'),
  flotilla_draining: gauge('1 or 0', '1 while the node drains'),
  flotilla_drain_connections_left: gauge('connections', 'Connections that a drain has yet to move; 0 outside a drain'),
  flotilla_drain_moved_total: counter('connections', 'Connections moved by a drain'),
  flotilla_shed_total: counter('connections', 'Connections moved because the node had more than its share'),
  flotilla_fleet_connections_mean: gauge(
    'connections',
    'Mean connections of the gateways in this region that accept connections, as of the last heartbeat',
  ),
} as const

/** Plain fields, because they are counted for each frame: no look-up, no call. */
export interface Traffic {
  connects: number
  received: number
  sent: number
  readonly dropped: { signal: number; ephemeral: number }
}

/** What is read when Prometheus asks. */
export interface GatewaySources {
  readonly hub: { readonly connections: number; all(): Connection[] }
  readonly chat: Pick<ChatContext, 'inserts' | 'receipts' | 'clock'>
  readonly healer: { readonly stats: { readonly rounds: number } }
  readonly refresher: { readonly stats: { readonly told: number; readonly owed: number } }
  readonly connectionsMax: number
  readonly sendQueueBytesMax: number
  draining(): boolean
  fleetMean(): number
}

export interface GatewayMetrics {
  readonly traffic: Traffic
  command(op: string, outcome: string, seconds: number): void
  refusedConnect(reason: 'address' | 'flood' | 'origin'): void
  /** A socket ended. Of one that the client or the network ended there is no name of ours. */
  ended(how: CloseName | 'client' | 'lost', greeted: boolean): void
  fault(): void
  /** An entry is on the sockets here that was committed then, by the clock of the store. */
  delivered(committedAt: number): void
  committed(entries: number, ms: number): void
}

export function createGatewayMetrics(registry: Registry, sources: GatewaySources): GatewayMetrics {
  const metrics = openMetrics(registry, gatewayMetrics)
  const seconds = metrics.tally('flotilla_command_seconds')
  /** Of those that worked, what is in the counter. */
  const fine = new Map<string, number>()
  const commands = metrics.counter('flotilla_commands_total', made => {
    for (const [op, count] of seconds.counts()) {
      made.inc({ op, outcome: 'ok' }, count - (fine.get(op) ?? 0))
      fine.set(op, count)
    }
  })
  const refused = metrics.counter('flotilla_connects_refused_total')
  const disconnects = metrics.counter('flotilla_disconnects_total')
  const faults = metrics.counter('flotilla_faults_total')
  const delivery = metrics.tally('flotilla_delivery_seconds')
  const batches = metrics.tally('flotilla_commit_batch_entries')
  const commits = metrics.tally('flotilla_commit_seconds')
  const traffic: Traffic = { connects: 0, received: 0, sent: 0, dropped: { signal: 0, ephemeral: 0 } }
  /** Greeted connections that we closed in order to move them, by why. */
  const moved = { node_draining: 0, rebalanced: 0 }
  readAtScrape(metrics, sources, traffic, moved)
  return {
    traffic,
    command(op, outcome, took) {
      if (outcome === 'ok') seconds.observe(took, op)
      else commands.inc({ op, outcome })
    },
    refusedConnect: reason => refused.inc({ reason }),
    ended(how, greeted) {
      disconnects.inc({ code: how })
      if (!greeted && how !== 'client' && how !== 'lost') refused.inc({ reason: how })
      if (greeted && how in moved) moved[how as keyof typeof moved]++
    },
    fault: () => faults.inc(),
    // The clock of the store is known to within a round trip, so an entry may seem to come from the future: that counts
    // as no time at all, since a negative one would spoil the sum.
    delivered: committedAt => delivery.observe(Math.max(0, sources.chat.clock() - committedAt) / 1_000),
    committed(entries, ms) {
      batches.observe(entries)
      commits.observe(ms / 1_000)
    },
  }
}

function readAtScrape(
  { read }: ReturnType<typeof openMetrics<typeof gatewayMetrics>>,
  sources: GatewaySources,
  traffic: Traffic,
  moved: { readonly node_draining: number; readonly rebalanced: number },
): void {
  const { hub, chat, healer, refresher } = sources
  const { stats } = chat.inserts
  const queues = readTogether(() => readSendQueues(hub.all(), sources.sendQueueBytesMax / 4))
  read('flotilla_connections', () => hub.connections)
  read('flotilla_connections_max', () => sources.connectionsMax)
  read('flotilla_connects_total', () => traffic.connects)
  read('flotilla_frames_received_total', () => traffic.received)
  read('flotilla_frames_sent_total', () => traffic.sent)
  read('flotilla_frames_dropped_total', () => traffic.dropped)
  read('flotilla_refreshes_total', () => refresher.stats.told)
  read('flotilla_refreshes_owed', () => refresher.stats.owed)
  read('flotilla_messages_total', () => stats.stored)
  read('flotilla_commit_queue', () => chat.inserts.queued)
  read('flotilla_commit_retries_total', () => stats.retries)
  read('flotilla_commit_stale_total', () => stats.stale)
  read('flotilla_commit_repeated_total', () => stats.repeated)
  read('flotilla_receipt_queue', () => chat.receipts.queued)
  read('flotilla_heal_rounds_total', () => healer.stats.rounds)
  read('flotilla_send_queue_bytes', () => queues().total)
  read('flotilla_send_queue_bytes_max', () => queues().max)
  read('flotilla_slow_connections', () => queues().slow)
  read('flotilla_draining', () => (sources.draining() ? 1 : 0))
  read('flotilla_drain_connections_left', () => (sources.draining() ? hub.connections : 0))
  read('flotilla_drain_moved_total', () => moved.node_draining)
  read('flotilla_shed_total', () => moved.rebalanced)
  read('flotilla_fleet_connections_mean', () => sources.fleetMean())
}

/** Asks every socket. */
function readSendQueues(connections: readonly Connection[], slowBytes: number) {
  let [total, max, slow] = [0, 0, 0]
  for (const connection of connections) {
    const bytes = connection.bufferedBytes()
    total += bytes
    if (bytes > max) max = bytes
    if (bytes > slowBytes) slow++
  }
  return { total, max, slow }
}
