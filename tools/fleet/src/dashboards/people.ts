/** What people meet: signing in, registering, the API's answers, and being told while they are away. */
import { areas, bars, chosen, type DashboardIdea, figure, lines } from './grafana.ts'
import { answered, failedSignIn, happened, known, perSecond, quantile } from './questions.ts'

const requests = { name: 'flotilla_api_request_duration_seconds' }

export const people: DashboardIdea = {
  uid: 'flotilla-people',
  title: 'Flotilla / People',
  description: 'Can people sign in, does the API answer, and are offline people notified?',
  chosenFrom: 'flotilla_store_up',
  bands: [
    {
      heading: 'Can they get in?',
      height: 4,
      panels: [
        figure('Connected', 'How many are connected?', `sum(flotilla_connections{region=~"$region"})`, { width: 4 }),
        figure(
          'Sign-ins in 5 min',
          'How many tried to sign in?',
          `sum(increase(flotilla_sign_ins_total{${chosen}}[5m]))`,
          { decimals: 0 },
        ),
        figure(
          'Failed sign-ins',
          'What share of attempts failed? A few are forgotten passwords; most of many is somebody guessing.',
          known(
            `sum(rate(flotilla_sign_ins_total{${failedSignIn}, ${chosen}}[5m])) / sum(rate(flotilla_sign_ins_total{${chosen}}[5m]))`,
          ),
          { unit: 'percentunit', decimals: 0, warn: 0.5, always: false },
        ),
        figure(
          'Registered in 1 h',
          'How many people registered?',
          `sum(increase(flotilla_registrations_total{outcome="done", ${chosen}}[1h]))`,
          { decimals: 0 },
        ),
        figure('API p99', 'How long do 99 % of requests take at most?', quantile(0.99, requests), {
          unit: 's',
          warn: 0.5,
          bad: 1,
        }),
        figure(
          'API errors',
          'What share of requests fails through our fault?',
          known(`(${answered('5..')} or vector(0)) / ${answered('.+')}`),
          { unit: 'percentunit', decimals: 2, warn: 0.001, bad: 0.01 },
        ),
      ],
    },
    {
      heading: 'Who signs in?',
      panels: [
        bars(
          'Sign-ins by outcome',
          'Do sign-ins succeed?',
          [{ ask: happened('flotilla_sign_ins_total', 'outcome'), as: '{{outcome}}' }],
          { unit: 'suffix:/min', decimals: 0 },
        ),
        bars(
          'Sign-ins by method',
          'How do people sign in?',
          [{ ask: happened('flotilla_sign_ins_total', 'method'), as: '{{method}}' }],
          { unit: 'suffix:/min', decimals: 0 },
        ),
        bars(
          'Registrations',
          'How many register, and what stops the others?',
          [{ ask: happened('flotilla_registrations_total', 'outcome'), as: '{{outcome}}' }],
          { unit: 'suffix:/min', decimals: 0 },
        ),
      ],
    },
    {
      heading: 'Does the API answer?',
      panels: [
        areas(
          'Requests by status',
          'What does the API answer?',
          [{ ask: answered('.+', 'status'), as: '{{status}}' }],
          { unit: 'reqps' },
        ),
        lines(
          'Slowest routes',
          'Which routes are slow? The p99 of the five slowest.',
          [{ ask: `topk(5, ${quantile(0.99, requests, 'method, route')})`, as: '{{method}} {{route}}' }],
          { unit: 's', upTo: 0.5, bad: 1 },
        ),
        bars(
          'Refused and failed',
          'Which routes fail, or refuse requests that come too fast (429)?',
          [{ ask: `60 * ${answered('429|5..', 'status, route')}`, as: '{{status}} {{route}}' }],
          { unit: 'suffix:/min', decimals: 0, upTo: 10, always: false },
        ),
      ],
    },
    {
      heading: 'Where are they sent?',
      panels: [
        areas(
          'Connect answers by region',
          'Which region are people told to connect to first?',
          [{ ask: perSecond('flotilla_connect_answers_total', '', 'region'), as: '{{region}}' }],
          { unit: 'cps', always: false },
        ),
        lines(
          'Requests in progress',
          'How many requests is each API process handling at once? Above REQUESTS_IN_FLIGHT_MAX they are told to retry later.',
          [{ ask: `flotilla_api_requests_in_flight{${chosen}}`, as: '{{node}}' }],
          { upTo: 20 },
        ),
      ],
    },
    {
      heading: 'Are offline people notified?',
      panels: [
        bars(
          'Pushes',
          'What do the push services answer? “gone” are dead devices, which are removed; “later” is retried.',
          [{ ask: happened('flotilla_pushes_total', 'outcome'), as: '{{outcome}}' }],
          { unit: 'suffix:/min', decimals: 0, always: false },
        ),
        lines(
          'Time to push',
          'How long from a message until a service accepts its push?',
          [{ ask: quantile(0.99, { name: 'flotilla_push_seconds' }, 'provider'), as: '{{provider}}, p99' }],
          { unit: 's', upTo: 10, always: false },
        ),
        bars(
          'Mail',
          'Does mail go out?',
          [{ ask: happened('flotilla_jobs_total', 'outcome', 'kind="mail"'), as: '{{outcome}}' }],
          { unit: 'suffix:/min', decimals: 0, always: false },
        ),
        lines('Offline backlog', 'How many messages are waiting for people who are offline? An estimate.', [
          { ask: 'max by (region) (flotilla_offline_messages{region=~"$region"})', as: '{{region}}' },
        ]),
      ],
    },
  ],
}
