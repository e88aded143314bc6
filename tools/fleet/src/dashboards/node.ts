/** One gateway, or a few side by side: who is on it, what they ask, whether the process keeps up. */
import { areas, bars, chosen, type DashboardIdea, figure, lines } from './grafana.ts'
import { happened, perMinute, perSecond, quantile } from './questions.ts'

/** Processes of other kinds have these figures too. */
const ofGateways = `and on (node) flotilla_connections{${chosen}}`

export const node: DashboardIdea = {
  uid: 'flotilla-node',
  title: 'Flotilla / Node',
  description: 'What is this gateway doing, and is it keeping up? Choose one or a few above.',
  chosenFrom: 'flotilla_connections',
  bands: [
    {
      heading: 'Is it healthy?',
      height: 4,
      panels: [
        figure('Connections', 'How many people are connected here?', `sum(flotilla_connections{${chosen}})`, {
          width: 4,
        }),
        figure(
          'Capacity used',
          'How much of its capacity is used? Above 100 % new connections are refused.',
          `max(flotilla_connections{${chosen}} / flotilla_connections_max{${chosen}})`,
          { unit: 'percentunit', decimals: 0, warn: 0.8, bad: 0.95 },
        ),
        figure(
          'Uptime',
          'How long has it been running? Of several, the youngest.',
          `time() - max(process_start_time_seconds{${chosen}} ${ofGateways})`,
          { unit: 's', decimals: 0 },
        ),
        figure('Commands', 'How many commands arrive per second?', perSecond('flotilla_commands_total'), {
          unit: 'cps',
        }),
        figure(
          'Event loop p99',
          'Is it falling behind? About 10 ms is the resolution, not a lag.',
          `max(nodejs_eventloop_lag_p99_seconds{${chosen}} ${ofGateways})`,
          { unit: 's', warn: 0.1, bad: 0.2 },
        ),
        figure(
          'Memory used',
          'How much of its memory limit is used?',
          `max(process_resident_memory_bytes{${chosen}} / flotilla_memory_limit_bytes{${chosen}} ${ofGateways})`,
          { unit: 'percentunit', decimals: 0, warn: 0.8, bad: 0.9 },
        ),
      ],
    },
    {
      heading: 'Who is here?',
      panels: [
        lines('Connections', 'How many are connected, compared to the mean of the fleet?', [
          { ask: `flotilla_connections{${chosen}}`, as: '{{node}}' },
          {
            ask: `max by (region) (flotilla_fleet_connections_mean{${chosen}})`,
            as: 'mean of {{region}}',
            measure: true,
            colour: 'text',
          },
        ]),
        bars(
          'Disconnects',
          'Why do connections end? “client”: closed by the client; “lost”: network failure; the rest we closed.',
          [{ ask: happened('flotilla_disconnects_total', 'code'), as: '{{code}}' }],
          { unit: 'suffix:/min', decimals: 0, always: false },
        ),
        bars(
          'Connects',
          'How many connect, and how many are refused?',
          [
            { ask: perMinute('flotilla_connects_total'), as: 'connected', colour: 'green' },
            { ask: happened('flotilla_connects_refused_total', 'reason'), as: 'refused: {{reason}}' },
          ],
          { unit: 'suffix:/min', decimals: 0 },
        ),
      ],
    },
    {
      heading: 'What do they ask for?',
      panels: [
        areas(
          'Commands by operation',
          'What do clients ask for?',
          [{ ask: perSecond('flotilla_commands_total', '', 'op'), as: '{{op}}' }],
          { unit: 'cps' },
        ),
        lines(
          'Replies by operation',
          'Which operation is slow? The p99 of replies. Receipts (message.delivered, message.read) wait up to a second, to be written together.',
          [{ ask: quantile(0.99, { name: 'flotilla_command_seconds' }, 'op'), as: '{{op}}' }],
          { unit: 's', upTo: 0.1 },
        ),
        bars(
          'Refusals',
          'What is refused, and why? rate_limited: the client is too fast; unavailable, overloaded and internal: our fault.',
          [{ ask: happened('flotilla_commands_total', 'outcome', 'outcome!="ok"'), as: '{{outcome}}' }],
          { unit: 'suffix:/min', decimals: 0, upTo: 10, always: false },
        ),
      ],
    },
    {
      heading: 'What goes out?',
      panels: [
        lines(
          'Frames',
          'How many frames are received and sent per second?',
          [
            { ask: perSecond('flotilla_frames_received_total'), as: 'received', colour: 'blue' },
            { ask: perSecond('flotilla_frames_sent_total'), as: 'sent', colour: 'purple' },
          ],
          { unit: 'cps' },
        ),
        lines(
          'Send queues',
          'How much is queued for slow readers? “longest” is one socket; at SEND_QUEUE_BYTES_MAX it is disconnected and resumes.',
          [
            { ask: `sum(flotilla_send_queue_bytes{${chosen}})`, as: 'all sockets' },
            { ask: `max(flotilla_send_queue_bytes_max{${chosen}})`, as: 'longest' },
          ],
          { unit: 'bytes', upTo: 1_048_576 },
        ),
        lines('PostgreSQL pool', 'Are statements waiting for a connection? Waiting should be 0.', [
          {
            ask: `sum by (state) (flotilla_postgres_connections{${chosen}} ${ofGateways})`,
            as: '{{state}}',
          },
          {
            ask: `sum(flotilla_postgres_waiting{${chosen}} ${ofGateways})`,
            as: 'waiting',
            colour: 'orange',
          },
        ]),
      ],
    },
    {
      heading: 'Is the process keeping up?',
      panels: [
        lines(
          'Event loop',
          'How late is it? The p50, the p99, and the worst since the previous scrape.',
          [
            { ask: `max(nodejs_eventloop_lag_p50_seconds{${chosen}} ${ofGateways})`, as: 'p50', colour: 'blue' },
            {
              ask: `max(nodejs_eventloop_lag_p99_seconds{${chosen}} ${ofGateways})`,
              as: 'p99',
              colour: 'purple',
            },
            { ask: `max(nodejs_eventloop_lag_max_seconds{${chosen}} ${ofGateways})`, as: 'worst', colour: 'text' },
          ],
          { unit: 's', upTo: 0.1, warn: 0.2 },
        ),
        lines(
          'CPU and GC',
          'How much of a core does it use, and how much of that is garbage collection?',
          [
            { ask: `${perSecond('process_cpu_seconds_total', '', 'node')} ${ofGateways}`, as: '{{node}}' },
            {
              ask: `max(${perSecond('nodejs_gc_duration_seconds_sum', '', 'node')} ${ofGateways})`,
              as: 'GC, highest',
              measure: true,
              colour: 'text',
            },
          ],
          { unit: 'percentunit', upTo: 1 },
        ),
        lines(
          'Memory',
          'Is it growing? A line that only rises for days is a leak; a sawtooth is not.',
          [
            { ask: `max(process_resident_memory_bytes{${chosen}} ${ofGateways})`, as: 'resident' },
            { ask: `max(nodejs_heap_size_used_bytes{${chosen}} ${ofGateways})`, as: 'heap used' },
            { ask: `max(nodejs_external_memory_bytes{${chosen}} ${ofGateways})`, as: 'outside the heap' },
          ],
          { unit: 'bytes' },
        ),
        lines('Open files', 'Are there open files left for more sockets?', [
          { ask: `max(process_open_fds{${chosen}} ${ofGateways})`, as: 'open' },
          { ask: `min(process_max_fds{${chosen}} ${ofGateways})`, as: 'limit', measure: true, colour: 'text' },
        ]),
      ],
    },
  ],
}
