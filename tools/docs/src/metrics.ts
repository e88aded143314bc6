/** docs/metrics.md: every metric of every process, from its declaration. */
import { apiMetrics } from '@flotilla/api'
import { gatewayMetrics } from '@flotilla/gateway'
import { describeMetrics, processMetrics } from '@flotilla/service'
import { workerMetrics } from '@flotilla/worker'

export const metricsDoc = () => `# Metrics

*Made by \`npm run docs\` from the declarations in \`libs/service/src/process-metrics.ts\` and in each app's \`src/metrics.ts\`.*

Each process answers \`GET /metrics\` on its operator port in the text format of Prometheus. Every series carries \`node\` and
\`region\`, which name its source. Counters end in \`_total\` and start at 0 with the process; histograms have the usual
\`_bucket\`, \`_sum\` and \`_count\`. No label takes user-made values: the tables below bound the number of series.

Histograms have fixed buckets: prom-client 15, the client library, has no native histograms.

The all-in-one process (\`npm start\`) exports all tables.

## Every process

${describeMetrics(processMetrics)}

prom-client adds \`process_*\` and \`nodejs_*\` for Node and the process itself. Worth watching are
\`nodejs_eventloop_lag_p99_seconds\`, \`process_resident_memory_bytes\`, \`process_cpu_seconds_total\`, \`process_open_fds\` and
\`nodejs_gc_duration_seconds\`. The event-loop lag is the time between two looks at the loop, 50 ms apart; a process at rest
reads 0.05 s.

## Gateway

${describeMetrics(gatewayMetrics)}

## API

${describeMetrics(apiMetrics)}

## Worker

${describeMetrics(workerMetrics)}
`
