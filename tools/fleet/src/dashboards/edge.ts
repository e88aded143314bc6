/** NGINX in front, as nginx-prometheus-exporter sees it. It counts no statuses: those are in the edge's log. */
import { type DashboardIdea, figure, lines } from './grafana.ts'

export const edge: DashboardIdea = {
  uid: 'flotilla-edge',
  title: 'Flotilla / Edge',
  description: 'Does the edge answer, and is there capacity left? Needs the exporter beside it.',
  bands: [
    {
      heading: 'Is it healthy?',
      height: 4,
      panels: [
        figure('Edges', 'How many edges answer their exporter?', 'sum(nginx_up)'),
        figure(
          'Connections',
          'How many connections are open at the edge, to clients and to the gateways?',
          'sum(nginx_connections_active)',
        ),
        figure(
          'Requests',
          'How many requests arrive per second?',
          'sum(rate(nginx_http_requests_total[$__rate_interval]))',
          { unit: 'reqps' },
        ),
        figure(
          'Dropped',
          'How many connections per second were accepted but not handled? Above 0, WORKER_CONNECTIONS or the open-file limit is reached.',
          'sum(rate(nginx_connections_accepted[$__rate_interval])) - sum(rate(nginx_connections_handled[$__rate_interval]))',
          { unit: 'cps', bad: 0.01 },
        ),
      ],
    },
    {
      heading: 'What arrives?',
      panels: [
        lines('Connections by edge', 'Is the load spread over the edges?', [
          { ask: 'sum by (instance) (nginx_connections_active)', as: '{{instance}}' },
        ]),
        lines(
          'Edge and gateways',
          'Do clients that reach the edge reach a gateway? “at the edges” counts a socket’s two ends once, and requests as well.',
          [
            { ask: 'sum(nginx_connections_active)', as: 'at the edges' },
            { ask: 'sum(flotilla_connections)', as: 'at the gateways' },
          ],
        ),
      ],
    },
    {
      heading: 'Is anything refused?',
      panels: [
        lines(
          'Requests by edge',
          'How many requests arrive per second? A socket is one request, when it opens.',
          [{ ask: 'sum by (instance) (rate(nginx_http_requests_total[$__rate_interval]))', as: '{{instance}}' }],
          { unit: 'reqps' },
        ),
        lines(
          'New connections',
          'How many connections arrive per second, and are all of them handled?',
          [
            { ask: 'sum(rate(nginx_connections_accepted[$__rate_interval]))', as: 'accepted' },
            { ask: 'sum(rate(nginx_connections_handled[$__rate_interval]))', as: 'handled' },
          ],
          { unit: 'cps' },
        ),
      ],
    },
  ],
}
