/**
 * Writes the papers that are made from the code: `npm run docs`. With `--check` it writes nothing and fails when a file
 * on the disk is not what the code says.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { apiMetrics, apiSettings, migrateSettings, openApiDocument, operateSettings } from '@flotilla/api'
import { gatewayMetrics, gatewaySettings } from '@flotilla/gateway'
import { asyncApiDocument } from '@flotilla/protocol/schemas'
import { describeMetrics, describeSettings, processMetrics, readCommandLine, type Settings } from '@flotilla/service'
import { workerMetrics, workerSettings } from '@flotilla/worker'
import { standaloneSettings } from './config.ts'
import { protocolPaper } from './protocol-paper.ts'

const { flags } = readCommandLine({
  usage: 'npm run docs',
  about:
    'Writes the papers that are made from the code: docs/protocol.md, configuration.md, metrics.md, asyncapi.json, openapi.json.',
  options: { check: { about: 'writes nothing, and fails when a paper is not what the code says' } },
})
const root = fileURLToPath(new URL('../../..', import.meta.url))

/** What this machine is called is nobody's default. */
function withoutHostName(settings: Settings): Settings {
  const shown = (value: unknown) => (typeof value === 'string' ? value.replace(hostname(), '<host name>') : value)
  return Object.fromEntries(
    Object.entries(settings).map(([name, setting]) => [
      name,
      name === 'NODE_ID' ? { ...setting, default: shown(setting.default) } : setting,
    ]),
  )
}

const configurationPaper = () => `# Configuration

*Made by \`npm run docs\` from the declarations in each app's \`src/config.ts\`.*

Settings are environment variables. Each process reads its own once, at its start, and stops with a message that names
every one at fault. An empty value counts as missing. Values of secrets are never printed. Secrets and URLs with passwords may also stand in
files: \`MASTER_KEYS_FILE=/run/secrets/master-keys\` instead of MASTER_KEYS.

Keys are sets: \`id:key,id:key\`. The first signs or wraps, all of them verify or unwrap; docs/operations.md says how to
rotate them. An id is a name of your choice. To make one:

\`\`\`sh
# MASTER_KEYS, TICKET_KEYS, REFRESH_KEYS: a key each, under an id
node -e "console.log('k1:' + crypto.randomBytes(32).toString('base64'))"
# TOKEN_KEYS: an Ed25519 key as JWK; or as PEM: openssl genpkey -algorithm ed25519
node -e "console.log(JSON.stringify(crypto.generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })))"
\`\`\`

## Gateway

${describeSettings(withoutHostName(gatewaySettings))}

## API

${describeSettings(withoutHostName(apiSettings))}

## Migrations

\`apps/api/dist/migrate.js\` brings the database up to date and ends: with 0 when it is, with 1 when it could not. Run it
once before a roll-out, and give the processes MIGRATE=false.

${describeSettings(migrateSettings)}

## Operating

\`apps/api/dist/operate.js\` is the command line of operators: \`--help\` lists its commands. It has the settings of the API,
of which it reads these.

${describeSettings(operateSettings)}

## Worker

${describeSettings(withoutHostName(workerSettings))}

## Standalone

\`npm start\` needs none of these. Its keys are made at the first start and kept in \`.flotilla/keys.json\`; everything else
has the defaults of the gateway and the API, but for what counts by the address alone. REQUESTS_MAX,
REQUESTS_PER_ADDRESS_MAX, HTTP_CONNECTIONS_PER_ADDRESS_MAX, REGISTRATIONS_MAX, CODES_MAX, CEREMONIES_MAX and VISITS_MAX are ten times as
much, since whoever tries things out has one address for everybody.

${describeSettings(standaloneSettings)}
`

const metricsPaper = () => `# Metrics

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

/** The sentence above each limit in its source. */
function limitSentences(): Map<string, string> {
  const source = readFileSync(join(root, 'libs/protocol/src/limits.ts'), 'utf8')
  return new Map(
    [...source.matchAll(/\/\*\* (.+?) \*\/\s+(\w+):/g)].map(([, sentence = '', name = '']) => [name, sentence]),
  )
}

const json = (document: object) => `${JSON.stringify(document, null, 2)}\n`

const papers: Readonly<Record<string, string>> = {
  'docs/protocol.md': protocolPaper(limitSentences()),
  'docs/configuration.md': configurationPaper(),
  'docs/metrics.md': metricsPaper(),
  'docs/asyncapi.json': json(asyncApiDocument()),
  'docs/openapi.json': json(await openApiDocument()),
}

const stale = Object.entries(papers).filter(
  ([path, text]) => !existsSync(join(root, path)) || readFileSync(join(root, path), 'utf8') !== text,
)
if (flags.has('check')) {
  for (const [path] of stale) console.error(`${path} is not what the code says: run npm run docs`)
  process.exitCode = stale.length === 0 ? 0 : 1
} else for (const [path, text] of stale) writeFileSync(join(root, path), text)
