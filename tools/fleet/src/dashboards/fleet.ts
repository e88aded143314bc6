/** The first screen at night: is the fleet healthy, are people connected, do messages flow, which process is the outlier? */
import { areas, bars, chosen, type DashboardIdea, figure, lines, rows, states } from './grafana.ts'
import {
  acknowledgement,
  answered,
  delivery,
  failedSends,
  happened,
  perMinute,
  perSecond,
  quantile,
} from './questions.ts'

export const fleet: DashboardIdea = {
  uid: 'flotilla-fleet',
  title: 'Flotilla / Fleet',
  description: 'Is the fleet healthy, and if not, where? Start here.',
  chosenFrom: 'flotilla_store_up',
  bands: [
    {
      heading: 'Is it healthy?',
      height: 4,
      panels: [
        figure('Connections', 'How many people are connected?', `sum(flotilla_connections{${chosen}})`, { width: 4 }),
        figure('Gateways', 'How many gateways report?', `count(flotilla_connections{${chosen}})`, { width: 4 }),
        figure(
          'Capacity used',
          'How much of the gateways’ capacity is used? Add gateways before they are full: when a node is lost, its clients move to the others.',
          `sum(flotilla_connections{${chosen}}) / sum(flotilla_connections_max{${chosen}})`,
          { unit: 'percentunit', decimals: 0, warn: 0.8, bad: 0.95 },
        ),
        figure('Messages', 'How many messages are stored per second?', perSecond('flotilla_messages_total'), {
          unit: 'mps',
        }),
        figure('Acknowledgement p99', 'How long do 99 % of senders wait at most?', quantile(0.99, acknowledgement), {
          unit: 's',
          warn: 0.25,
          bad: 0.5,
        }),
        figure(
          'Delivery p99',
          'How long after the commit have 99 % of messages reached the sockets?',
          quantile(0.99, delivery),
          { unit: 's', warn: 0.5, bad: 1 },
        ),
      ],
    },
    {
      heading: 'What is wrong?',
      height: 5,
      panels: [
        rows(
          'Firing alerts',
          'Which alerts are firing? Each has a section of the same name in docs/operations.md. Empty is good.',
          [{ ask: 'ALERTS{alertname=~"Flotilla.+", alertstate="firing"}', as: '' }],
          { always: false },
        ),
        states(
          'Redis and PostgreSQL',
          'Do the stores answer every process? Red: at least one process cannot reach it.',
          [
            { ask: `min by (region) (flotilla_routing_up{${chosen}})`, as: 'Redis, {{region}}' },
            { ask: `min by (region) (flotilla_store_up{${chosen}})`, as: 'PostgreSQL, {{region}}' },
          ],
        ),
      ],
    },
    {
      heading: 'Are people connected?',
      panels: [
        areas('Connections by node', 'How many people are connected, and where?', [
          { ask: `sum by (node) (flotilla_connections{${chosen}})`, as: '{{node}}' },
        ]),
        lines(
          'Balance',
          'Is the load spread evenly? 100 % is the mean of the region. A node far above it sheds; a new one starts low and fills.',
          [
            {
              ask: `sum by (region, node) (flotilla_connections{${chosen}}) / on (region) group_left avg by (region) (flotilla_connections{region=~"$region"})`,
              as: '{{node}}',
            },
          ],
          { unit: 'percentunit', decimals: 0, upTo: 1.5, warn: 1.2 },
        ),
      ],
    },
    {
      heading: 'Do connects and disconnects look normal?',
      panels: [
        bars(
          'Connects',
          'How many connect, and how many are refused?',
          [
            { ask: perMinute('flotilla_connects_total'), as: 'connected', colour: 'green' },
            { ask: happened('flotilla_connects_refused_total', 'reason'), as: 'refused: {{reason}}' },
          ],
          { unit: 'suffix:/min', decimals: 0 },
        ),
        bars(
          'Disconnects',
          'Why do connections end? “client”: closed by the client; “lost”: network failure; the rest we closed.',
          [{ ask: happened('flotilla_disconnects_total', 'code'), as: '{{code}}' }],
          { unit: 'suffix:/min', decimals: 0, always: false },
        ),
        lines(
          'Drains and shedding',
          'Is a roll-out moving connections, and does it finish? Left falls to 0 within DRAIN_MS. Shed is what full nodes hand to emptier ones.',
          [
            { ask: `sum(flotilla_drain_connections_left{${chosen}})`, as: 'left on draining nodes', colour: 'orange' },
            {
              ask: `sum(increase(flotilla_drain_moved_total{${chosen}}[1m]))`,
              as: 'moved per minute',
              colour: 'blue',
            },
            { ask: `sum(increase(flotilla_shed_total{${chosen}}[1m]))`, as: 'shed per minute', colour: 'purple' },
          ],
          { upTo: 10 },
        ),
      ],
    },
    {
      heading: 'Do messages flow?',
      panels: [
        areas(
          'Messages by node',
          'How many messages are stored per second, and where?',
          [{ ask: perSecond('flotilla_messages_total', '', 'node'), as: '{{node}}' }],
          { unit: 'mps' },
        ),
        lines(
          'Acknowledgement',
          'How long do senders wait for their acknowledgement?',
          [
            { ask: quantile(0.5, acknowledgement), as: 'p50', colour: 'blue' },
            { ask: quantile(0.99, acknowledgement), as: 'p99', colour: 'orange' },
          ],
          { unit: 's', upTo: 0.1, bad: 0.5 },
        ),
        lines(
          'Delivery',
          'How long after its commit does a message reach the sockets?',
          [
            { ask: quantile(0.5, delivery), as: 'p50', colour: 'blue' },
            { ask: quantile(0.99, delivery), as: 'p99', colour: 'orange' },
          ],
          { unit: 's', upTo: 0.1, bad: 1 },
        ),
      ],
    },
    {
      heading: 'Which process is the outlier?',
      panels: [
        lines(
          'Event loop',
          'Is a process falling behind? The p99 event-loop lag; about 10 ms is its resolution, not a lag.',
          [{ ask: `nodejs_eventloop_lag_p99_seconds{${chosen}}`, as: '{{node}}' }],
          { unit: 's', upTo: 0.1, warn: 0.2 },
        ),
        lines(
          'CPU',
          'Which process is busiest? 100 % is one core, and a gateway can use little more.',
          [{ ask: perSecond('process_cpu_seconds_total', '', 'node'), as: '{{node}}' }],
          { unit: 'percentunit', upTo: 1 },
        ),
        lines(
          'Memory',
          'Which process is growing? Resident memory.',
          [{ ask: `process_resident_memory_bytes{${chosen}}`, as: '{{node}}' }],
          { unit: 'bytes' },
        ),
        bars(
          'Errors',
          'Does anything fail through our fault?',
          [
            { ask: perMinute('flotilla_faults_total'), as: 'gateway faults', colour: 'red' },
            { ask: `60 * ${failedSends}`, as: 'failed sends', colour: 'orange' },
            { ask: `60 * ${answered('5..')}`, as: 'API: 5xx', colour: 'purple' },
          ],
          { unit: 'suffix:/min', decimals: 0, upTo: 10 },
        ),
      ],
    },
  ],
}
