/** The life of a message in figures: acknowledged, committed, carried to the other nodes, put on sockets. */
import { bars, chosen, type DashboardIdea, figure, heat, lines } from './grafana.ts'
import {
  acknowledgement,
  buckets,
  delivery as delivered,
  happened,
  mean,
  ourFault,
  perMinute,
  perSecond,
  quantile,
} from './questions.ts'

export const delivery: DashboardIdea = {
  uid: 'flotilla-delivery',
  title: 'Flotilla / Delivery',
  description: 'Do messages arrive, how fast, and what holds them up?',
  chosenFrom: 'flotilla_connections',
  bands: [
    {
      heading: 'Do messages arrive?',
      height: 4,
      panels: [
        figure('Messages', 'How many messages are stored per second?', perSecond('flotilla_messages_total'), {
          unit: 'mps',
        }),
        figure(
          'Sends answered well, 6 h',
          'What share of sends did not fail through our fault? The objective is 99.9 %.',
          '1 - max(flotilla:acknowledgement_failures:ratio6h{region=~"$region"})',
          { unit: 'percentunit', decimals: 2, falling: true, warn: 0.999, bad: 0.99 },
        ),
        figure('Acknowledgement p99', 'How long do 99 % of senders wait at most?', quantile(0.99, acknowledgement), {
          unit: 's',
          warn: 0.25,
          bad: 0.5,
        }),
        figure(
          'Delivery p99',
          'How long after the commit have 99 % of messages reached the sockets?',
          quantile(0.99, delivered),
          {
            unit: 's',
            warn: 0.5,
            bad: 1,
          },
        ),
        figure(
          'Commit queue',
          'How many entries are waiting for their commit? The longest queue of all nodes.',
          `max(flotilla_commit_queue{${chosen}})`,
          {
            warn: 500,
            bad: 1_000,
          },
        ),
        figure(
          'Offline backlog',
          'How many messages are waiting for people who are offline? An estimate.',
          'max(flotilla_offline_messages{region=~"$region"})',
        ),
      ],
    },
    {
      heading: 'How long do people wait?',
      panels: [
        lines(
          'Acknowledgement',
          'How long from a send to its acknowledgement, commit included?',
          percentiles(acknowledgement),
          { unit: 's', upTo: 0.1, bad: 0.5 },
        ),
        lines('Delivery', 'How long from the commit, on any node, to the sockets?', percentiles(delivered), {
          unit: 's',
          upTo: 0.1,
          bad: 1,
        }),
        heat('Deliveries by time', 'Are all a little slow, or a few very slow? Darker means more deliveries.', [
          { ask: buckets(delivered), as: '{{le}}' },
        ]),
      ],
    },
    {
      heading: 'Is PostgreSQL keeping up?',
      panels: [
        lines('Commit', 'How long does a commit take?', percentiles({ name: 'flotilla_commit_seconds' }), {
          unit: 's',
          upTo: 0.05,
        }),
        lines('Batch', 'How many entries share a commit? It grows with load: that is how the store keeps up.', [
          { ask: mean('flotilla_commit_batch_entries'), as: 'mean', colour: 'blue' },
          { ask: quantile(0.99, { name: 'flotilla_commit_batch_entries' }), as: 'p99', colour: 'purple' },
        ]),
        lines(
          'Commit queue',
          'Does the queue keep falling back to nearly nothing?',
          [{ ask: `flotilla_commit_queue{${chosen}}`, as: '{{node}}' }],
          { upTo: 100, bad: 1_000 },
        ),
        lines(
          'Receipt queue',
          'Are receipts keeping up? Thousands are too many.',
          [{ ask: `flotilla_receipt_queue{${chosen}}`, as: '{{node}}' }],
          { upTo: 100 },
        ),
      ],
    },
    {
      heading: 'Is anything refused or repeated?',
      panels: [
        bars(
          'Failed sends',
          'Which sends failed through our fault? The client keeps the message and retries.',
          [
            {
              ask: happened('flotilla_commands_total', 'outcome', `op="message.send", ${ourFault}`),
              as: '{{outcome}}',
            },
          ],
          { unit: 'suffix:/min', decimals: 0, upTo: 10, always: false },
        ),
        bars(
          'Repeated commits',
          'Are batches retried (PostgreSQL is slow or away), entries rechecked (memberships change), or sends repeated (acknowledgements got lost)?',
          [
            { ask: perMinute('flotilla_commit_retries_total'), as: 'retried', colour: 'red' },
            { ask: perMinute('flotilla_commit_stale_total'), as: 'rechecked', colour: 'yellow' },
            { ask: perMinute('flotilla_commit_repeated_total'), as: 'repeated sends', colour: 'blue' },
          ],
          { unit: 'suffix:/min', decimals: 0, upTo: 10 },
        ),
      ],
    },
    {
      heading: 'Is Redis delivering?',
      panels: [
        lines(
          'Between nodes',
          'How much traffic is there between nodes?',
          [
            { ask: perSecond('flotilla_routing_frames_total'), as: 'frames' },
            { ask: perSecond('flotilla_routing_publishes_total'), as: 'envelopes' },
            { ask: perSecond('flotilla_routing_lookups_total'), as: 'look-ups' },
          ],
          { unit: 'cps' },
        ),
        bars(
          'Not delivered',
          'What did not get through? Unsent: Redis is away. Unheard: the node was gone. Malformed should never happen.',
          [
            { ask: perMinute('flotilla_routing_unsent_total'), as: 'unsent', colour: 'red' },
            { ask: perMinute('flotilla_routing_unheard_total'), as: 'unheard', colour: 'yellow' },
            { ask: perMinute('flotilla_routing_malformed_total'), as: 'malformed', colour: 'purple' },
          ],
          { unit: 'suffix:/min', decimals: 0, upTo: 10 },
        ),
        bars(
          'Healing',
          'Was anything possibly lost, and healed? Once after a fault is normal; all the time is not.',
          [
            {
              ask: `sum by (reason) (increase(flotilla_routing_suspects_total{${chosen}}[1m])) > 0`,
              as: 'suspected: {{reason}}',
            },
            {
              ask: `sum(increase(flotilla_heal_rounds_total{${chosen}}[1m]))`,
              as: 'healing rounds',
              colour: 'blue',
            },
            { ask: `sum(increase(flotilla_routing_fences_total{${chosen}}[1m]))`, as: 'leases lost', colour: 'red' },
          ],
          { upTo: 5 },
        ),
      ],
    },
    {
      heading: 'Are readers keeping up?',
      panels: [
        lines(
          'Send queues',
          'How much is queued for slow readers, by node?',
          [{ ask: `flotilla_send_queue_bytes{${chosen}}`, as: '{{node}}' }],
          { unit: 'bytes', upTo: 1_048_576 },
        ),
        lines(
          'Slow readers',
          'How many sockets have more than a quarter of their send queue filled?',
          [{ ask: `flotilla_slow_connections{${chosen}}`, as: '{{node}}' }],
          { upTo: 10 },
        ),
      ],
    },
  ],
}

function percentiles(histogram: { readonly name: string; readonly more?: string }) {
  return [
    { ask: quantile(0.5, histogram), as: 'p50', colour: 'blue' },
    { ask: quantile(0.95, histogram), as: 'p95', colour: 'purple' },
    { ask: quantile(0.99, histogram), as: 'p99', colour: 'orange' },
  ] as const
}
