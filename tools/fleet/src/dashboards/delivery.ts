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
        figure('Messages', 'How many messages are stored each second?', perSecond('flotilla_messages_total'), {
          unit: 'mps',
        }),
        figure(
          'Sends answered well, 6 h',
          'Which share of sends did not fail through our fault? The aim is 99.9 %.',
          '1 - max(flotilla:acknowledgement_failures:ratio6h{region=~"$region"})',
          { unit: 'percentunit', decimals: 2, falling: true, warn: 0.999, bad: 0.99 },
        ),
        figure(
          'Acknowledgement p99',
          'How long do senders wait at most, but for one in a hundred?',
          quantile(0.99, acknowledgement),
          {
            unit: 's',
            warn: 0.25,
            bad: 0.5,
          },
        ),
        figure(
          'Delivery p99',
          'How long after its commit does a message reach the sockets, but for one in a hundred?',
          quantile(0.99, delivered),
          {
            unit: 's',
            warn: 0.5,
            bad: 1,
          },
        ),
        figure(
          'Commit queue',
          'How many entries wait for their commit? Of all nodes the longest queue.',
          `max(flotilla_commit_queue{${chosen}})`,
          {
            warn: 500,
            bad: 1_000,
          },
        ),
        figure(
          'Owed to people away',
          'How many messages wait for people who are not connected? An estimate.',
          'max(flotilla_offline_messages{region=~"$region"})',
        ),
      ],
    },
    {
      heading: 'How long do people wait?',
      panels: [
        lines(
          'Acknowledgement',
          'How long from the frame of a send to its acknowledgement, the commit included?',
          percentiles(acknowledgement),
          { unit: 's', upTo: 0.1, bad: 0.5 },
        ),
        lines('Delivery', 'How long from the commit, on whatever node, to the sockets?', percentiles(delivered), {
          unit: 's',
          upTo: 0.1,
          bad: 1,
        }),
        heat('Deliveries by time', 'Are all a little slow, or a few very? Darker is more deliveries.', [
          { ask: buckets(delivered), as: '{{le}}' },
        ]),
      ],
    },
    {
      heading: 'Does PostgreSQL keep up?',
      panels: [
        lines('Commit', 'How long does a commit take?', percentiles({ name: 'flotilla_commit_seconds' }), {
          unit: 's',
          upTo: 0.05,
        }),
        lines('Batch', 'How many entries share a commit? It grows with the load: that is how the store keeps up.', [
          { ask: mean('flotilla_commit_batch_entries'), as: 'mean', colour: 'blue' },
          { ask: quantile(0.99, { name: 'flotilla_commit_batch_entries' }), as: '99 of 100', colour: 'purple' },
        ]),
        lines(
          'Commit queue',
          'Does what waits fall to nearly nothing again and again?',
          [{ ask: `flotilla_commit_queue{${chosen}}`, as: '{{node}}' }],
          { upTo: 100, bad: 1_000 },
        ),
        lines(
          'Receipt queue',
          'Do receipts keep up? Thousands are too many.',
          [{ ask: `flotilla_receipt_queue{${chosen}}`, as: '{{node}}' }],
          { upTo: 100 },
        ),
      ],
    },
    {
      heading: 'Is anything refused or done twice?',
      panels: [
        bars(
          'Sends that failed',
          'Which sends failed through our fault? The sender keeps the message and repeats it.',
          [
            {
              ask: happened('flotilla_commands_total', 'outcome', `op="message.send", ${ourFault}`),
              as: '{{outcome}}',
            },
          ],
          { unit: 'suffix:/min', decimals: 0, upTo: 10, always: false },
        ),
        bars(
          'Commits done again',
          'Are batches tried again (PostgreSQL is slow or away), decided anew (memberships change), or sends repeated (acknowledgements got lost)?',
          [
            { ask: perMinute('flotilla_commit_retries_total'), as: 'tried again', colour: 'red' },
            { ask: perMinute('flotilla_commit_stale_total'), as: 'decided anew', colour: 'yellow' },
            { ask: perMinute('flotilla_commit_repeated_total'), as: 'repeated sends', colour: 'blue' },
          ],
          { unit: 'suffix:/min', decimals: 0, upTo: 10 },
        ),
      ],
    },
    {
      heading: 'Does Redis carry it?',
      panels: [
        lines(
          'Between nodes',
          'How much goes from node to node?',
          [
            { ask: perSecond('flotilla_routing_frames_total'), as: 'frames' },
            { ask: perSecond('flotilla_routing_publishes_total'), as: 'envelopes' },
            { ask: perSecond('flotilla_routing_lookups_total'), as: 'look-ups' },
          ],
          { unit: 'cps' },
        ),
        bars(
          'Not carried',
          'What did not get through? Unsent: Redis is away. Unheard: the node was gone. Malformed should never be.',
          [
            { ask: perMinute('flotilla_routing_unsent_total'), as: 'unsent', colour: 'red' },
            { ask: perMinute('flotilla_routing_unheard_total'), as: 'unheard', colour: 'yellow' },
            { ask: perMinute('flotilla_routing_malformed_total'), as: 'malformed', colour: 'purple' },
          ],
          { unit: 'suffix:/min', decimals: 0, upTo: 10 },
        ),
        bars(
          'Healing',
          'Was anything perhaps lost, and looked for? Once after a fault is right; all the time is not.',
          [
            {
              ask: `sum by (reason) (increase(flotilla_routing_suspects_total{${chosen}}[1m])) > 0`,
              as: 'suspected: {{reason}}',
            },
            {
              ask: `sum(increase(flotilla_heal_rounds_total{${chosen}}[1m]))`,
              as: 'rounds of healing',
              colour: 'blue',
            },
            { ask: `sum(increase(flotilla_routing_fences_total{${chosen}}[1m]))`, as: 'leases lost', colour: 'red' },
          ],
          { upTo: 5 },
        ),
      ],
    },
    {
      heading: 'Do readers keep up?',
      panels: [
        lines(
          'Send queues',
          'How much waits for slow readers, by node?',
          [{ ask: `flotilla_send_queue_bytes{${chosen}}`, as: '{{node}}' }],
          { unit: 'bytes', upTo: 1_048_576 },
        ),
        lines(
          'Slow readers',
          'How many sockets have more than a quarter of their queue waiting?',
          [{ ask: `flotilla_slow_connections{${chosen}}`, as: '{{node}}' }],
          { upTo: 10 },
        ),
      ],
    },
  ],
}

function percentiles(histogram: { readonly name: string; readonly more?: string }) {
  return [
    { ask: quantile(0.5, histogram), as: 'half', colour: 'blue' },
    { ask: quantile(0.95, histogram), as: '95 of 100', colour: 'purple' },
    { ask: quantile(0.99, histogram), as: '99 of 100', colour: 'orange' },
  ] as const
}
