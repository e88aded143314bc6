/** What is done later: jobs, mail among them, pushes, upkeep; and whether the workers keep up. */
import { bars, chosen, type DashboardIdea, figure, lines } from './grafana.ts'
import { happened, perSecond, quantile } from './questions.ts'

/** Every worker reads the same queues, so the most that one says is what is true. */
const queue = (name: string) => `max(${name}{${chosen}})`
const queueBy = (name: string, label: string) => `max by (${label}) (${name}{${chosen}})`
const ofWorkers = `and on (node) flotilla_jobs_dead{${chosen}}`

export const worker: DashboardIdea = {
  uid: 'flotilla-worker',
  title: 'Flotilla / Worker',
  description: 'Is the work done on time, and what was given up?',
  chosenFrom: 'flotilla_jobs_dead',
  bands: [
    {
      heading: 'Is it done on time?',
      height: 4,
      panels: [
        figure(
          'Jobs waiting',
          'How many jobs are waiting or running?',
          `sum(${queueBy('flotilla_jobs_waiting', 'kind')}) or vector(0)`,
          { width: 4 },
        ),
        figure('Jobs late', 'How late is the longest-overdue job?', queue('flotilla_jobs_late_seconds'), {
          unit: 's',
          warn: 60,
          bad: 300,
        }),
        figure(
          'Dead jobs',
          'How many jobs are dead-lettered? GET /v1/operator/dead-jobs lists them.',
          queue('flotilla_jobs_dead'),
          { warn: 1 },
        ),
        figure(
          'Pushes waiting',
          'How many pushes are waiting for an answer?',
          `sum(${queueBy('flotilla_pushes_waiting', 'provider')}) or vector(0)`,
        ),
        figure('Pushes late', 'How late is the longest-overdue push?', queue('flotilla_pushes_late_seconds'), {
          unit: 's',
          warn: 60,
          bad: 300,
        }),
        figure(
          'Services paused',
          'How many push services are paused because they refused or failed?',
          queue('flotilla_push_services_paused'),
          { warn: 1 },
        ),
      ],
    },
    {
      heading: 'Do jobs get done?',
      panels: [
        bars('Jobs by kind', 'What is worked on?', [{ ask: happened('flotilla_jobs_total', 'kind'), as: '{{kind}}' }], {
          unit: 'suffix:/min',
          decimals: 0,
          always: false,
        }),
        bars(
          'Failed jobs',
          'What fails? “failed” is retried, “dead” was given up.',
          [{ ask: happened('flotilla_jobs_total', 'kind, outcome', 'outcome!="done"'), as: '{{kind}}: {{outcome}}' }],
          { unit: 'suffix:/min', decimals: 0, upTo: 10, always: false },
        ),
        lines(
          'Jobs waiting',
          'Does the queue drain?',
          [{ ask: queueBy('flotilla_jobs_waiting', 'kind'), as: '{{kind}}' }],
          { upTo: 10, always: false },
        ),
      ],
    },
    {
      heading: 'Is the feed keeping up?',
      panels: [
        lines(
          'Feed lag by consumer',
          'How long has the first unread entry of a consumer been waiting? Is an open transaction holding up the feed?',
          [
            { ask: queueBy('flotilla_feed_lag_seconds', 'consumer'), as: '{{consumer}}' },
            { ask: queue('flotilla_feed_waits_seconds'), as: 'open transaction' },
          ],
          { unit: 's', upTo: 10, always: false },
        ),
      ],
    },
    {
      heading: 'Do pushes go out?',
      panels: [
        bars(
          'Pushes',
          'What do the push services answer?',
          [{ ask: happened('flotilla_pushes_total', 'provider, outcome'), as: '{{provider}}: {{outcome}}' }],
          { unit: 'suffix:/min', decimals: 0, always: false },
        ),
        lines(
          'Time to push',
          'How long from a message until a service accepts its push?',
          [
            { ask: quantile(0.5, { name: 'flotilla_push_seconds' }, 'provider'), as: '{{provider}}, p50' },
            { ask: quantile(0.99, { name: 'flotilla_push_seconds' }, 'provider'), as: '{{provider}}, p99' },
          ],
          { unit: 's', upTo: 10, always: false },
        ),
        lines(
          'Pushes waiting',
          'Does the queue drain?',
          [{ ask: queueBy('flotilla_pushes_waiting', 'provider'), as: '{{provider}}' }],
          { upTo: 10, always: false },
        ),
        lines(
          'Pushes in flight',
          'How many are waiting for the answer of a service?',
          [{ ask: `flotilla_pushes_in_flight{${chosen}}`, as: '{{node}}' }],
          { upTo: 10 },
        ),
      ],
    },
    {
      heading: 'Is the store cleaned up?',
      panels: [
        bars(
          'Upkeep',
          'Which expired rows were deleted in the last hour?',
          [{ ask: `sum by (table) (increase(flotilla_upkeep_rows_total{${chosen}}[1h])) > 0`, as: '{{table}}' }],
          { always: false },
        ),
        lines(
          'Offline backlog',
          'How many messages are waiting for people who are offline? An estimate. Rows older than 30 days are dropped.',
          [{ ask: 'max by (region) (flotilla_offline_messages{region=~"$region"})', as: '{{region}}' }],
        ),
      ],
    },
    {
      heading: 'Are the workers keeping up?',
      panels: [
        lines(
          'Event loop',
          'Is a worker falling behind? The p99 event-loop lag.',
          [{ ask: `nodejs_eventloop_lag_p99_seconds{${chosen}} ${ofWorkers}`, as: '{{node}}' }],
          { unit: 's', upTo: 0.1, warn: 0.2 },
        ),
        lines(
          'CPU',
          'Which worker is busiest? 100 % is one core.',
          [{ ask: `${perSecond('process_cpu_seconds_total', '', 'node')} ${ofWorkers}`, as: '{{node}}' }],
          { unit: 'percentunit', upTo: 1 },
        ),
        lines(
          'Memory',
          'Which worker is growing?',
          [{ ask: `process_resident_memory_bytes{${chosen}} ${ofWorkers}`, as: '{{node}}' }],
          { unit: 'bytes' },
        ),
        lines('PostgreSQL pool', 'Are statements waiting for a connection? Waiting should be 0.', [
          { ask: `sum by (state) (flotilla_postgres_connections{${chosen}} ${ofWorkers})`, as: '{{state}}' },
          { ask: `sum(flotilla_postgres_waiting{${chosen}} ${ofWorkers})`, as: 'waiting', colour: 'orange' },
        ]),
      ],
    },
  ],
}
