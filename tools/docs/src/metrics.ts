/** docs/metrics.md: every metric of every process, from its declaration. */
import { apiMetrics } from '@flotilla/api'
import { gatewayMetrics } from '@flotilla/gateway'
import { describeMetrics, processMetrics } from '@flotilla/service'
import { workerMetrics } from '@flotilla/worker'

export const metricsDoc = () => `# Metrics

*Made by \`npm run docs\` from the declarations in \`libs/service/src/process-metrics.ts\` and in each app's \`src/metrics.ts\`.*

Each process answers \`GET /metrics\` on its operator port in the text format of Prometheus. Every series carries \`node\` and
\`region\`, which say who tells it. Counters end in \`_total\` and start at 0 with the process; histograms have the usual
\`_bucket\`, \`_sum\` and \`_count\`. No label has values that people make: the number of series is bounded by the tables below.

Histograms have fixed bounds. prom-client, the client library, knows no native ones in version 15.

A process that does all of it (\`npm start\`) exports all tables.

## Every process

${describeMetrics(processMetrics)}

Node and the process itself are told by prom-client: \`process_*\` and \`nodejs_*\`. Worth a look are
\`nodejs_eventloop_lag_p99_seconds\`, \`process_resident_memory_bytes\`, \`process_cpu_seconds_total\`, \`process_open_fds\` and
\`nodejs_gc_duration_seconds\`.

## Gateway

${describeMetrics(gatewayMetrics)}

## API

${describeMetrics(apiMetrics)}

## Worker

${describeMetrics(workerMetrics)}
`
