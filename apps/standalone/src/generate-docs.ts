/**
 * Writes the papers that are made from the code: `npm run docs`. With `--check` it writes nothing and fails when a file
 * on the disk is not what the code says.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { apiSettings, openApiDocument } from '@flotilla/api'
import { gatewaySettings } from '@flotilla/gateway'
import { asyncApiDocument } from '@flotilla/protocol'
import { describeSettings, type Settings } from '@flotilla/service'
import { workerSettings } from '@flotilla/worker'
import { standaloneSettings } from './config.ts'
import { protocolPaper } from './protocol-paper.ts'

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
# TOKEN_KEYS: an Ed25519 key as JWK
node -e "console.log(JSON.stringify(crypto.generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })))"
\`\`\`

## Gateway

${describeSettings(withoutHostName(gatewaySettings))}

## API

${describeSettings(withoutHostName(apiSettings))}

## Worker

${describeSettings(withoutHostName(workerSettings))}

## Standalone

\`npm start\` needs none of these. Its keys are made at the first start and kept in \`.flotilla/keys.json\`; everything else
has the defaults of the gateway and the API, but for what counts by address: that is ten times as much, since whoever tries
things out has one address for everybody.

${describeSettings(standaloneSettings)}
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
  'docs/asyncapi.json': json(asyncApiDocument()),
  'docs/openapi.json': json(await openApiDocument()),
}

const stale = Object.entries(papers).filter(
  ([path, text]) => !existsSync(join(root, path)) || readFileSync(join(root, path), 'utf8') !== text,
)
if (process.argv.includes('--check')) {
  for (const [path] of stale) console.error(`${path} is not what the code says: run npm run docs`)
  process.exitCode = stale.length === 0 ? 0 : 1
} else for (const [path, text] of stale) writeFileSync(join(root, path), text)
