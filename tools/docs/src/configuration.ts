/** docs/configuration.md: every setting of every process, from its declaration. */
import { hostname } from 'node:os'
import { apiSettings, migrateSettings } from '@flotilla/api'
import { operateSettings } from '@flotilla/cli'
import { gatewaySettings } from '@flotilla/gateway'
import { describeSettings, type Settings } from '@flotilla/service'
import { standaloneSettings } from '@flotilla/standalone'
import { workerSettings } from '@flotilla/worker'

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

export const configurationDoc = () => `# Configuration

*Made by \`npm run docs\` from the declarations in \`libs/node/src/settings.ts\` and each app's \`src/config.ts\`.*

Settings are environment variables. Each process reads its own once, on start, and exits with a message that names
every invalid one. An empty value counts as unset. Secret values are never printed. Secrets and URLs with passwords can also be read from
files: \`MASTER_KEYS_FILE=/run/secrets/master-keys\` instead of MASTER_KEYS.

Keys are sets: \`id:key,id:key\`. The first signs or wraps, all verify or unwrap; docs/operations.md says how to
rotate them. An id is a name of your choice. To create a key:

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

\`apps/api/dist/migrate.js\` migrates the database and exits: 0 when it is up to date, 1 when it failed. Run it
once before a roll-out, and give the processes MIGRATE=false.

${describeSettings(migrateSettings)}

## Operating

\`apps/cli/dist/operate.js\` is the operators' command line: \`--help\` lists its commands. Of the API's settings, it
reads these.

${describeSettings(operateSettings)}

## Worker

${describeSettings(withoutHostName(workerSettings))}

## Standalone

\`npm start\` needs none of these. Its keys are created on first start and kept in \`.flotilla/keys.json\`; everything else
has the defaults of the gateway and the API, except limits that count by address alone. REQUESTS_MAX,
REQUESTS_PER_ADDRESS_MAX, HTTP_CONNECTIONS_PER_ADDRESS_MAX, REGISTRATIONS_MAX, CODES_MAX, CEREMONIES_MAX and PROVIDER_SIGN_INS_MAX are ten times
as high, since in a trial everybody has one address.

${describeSettings(standaloneSettings)}
`
