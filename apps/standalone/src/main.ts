/** The process behind `npm start`: settings, start, what to do next, signals. */
import { demandDomains, toBounds, toProviders, toRegistrationCheck } from '@flotilla/api'
import { createLogger, drainOnSignal, plainLines, readCommandLine } from '@flotilla/service'
import { readStandaloneSettings, warnOfUnread } from './config.ts'
import { buildSite } from './site.ts'
import { isLoopback, type Standalone, type StandaloneOptions, startPath, startStandalone } from './standalone.ts'

const drainMsMax = 60_000
/** People read a terminal; whatever else takes our output gets JSON, one line an event. */
const forPeople = process.stdout.isTTY
const lines = forPeople ? plainLines(process.stdout) : undefined
const announcer = createLogger('flotilla', 'info')
function say(text: string, fields: object = {}): void {
  if (forPeople) process.stdout.write(`${text}\n`)
  else announcer.info(fields, text.trim())
}
const fail = (error: unknown): never => {
  const known = error instanceof Error && error.message.startsWith('unable to')
  process.stderr.write(`\n${known ? error.message : error instanceof Error ? error.stack : String(error)}\n\n`)
  process.exit(1)
}

const { flags } = readCommandLine({
  usage: 'npm start [-- --demo]',
  about:
    'All of Flotilla in one process: PostgreSQL, gateway, API and worker on http://localhost:8080. Data is kept in .flotilla/.',
  options: { demo: { about: 'fill a workspace to look around in: four people, five conversations, 2,000 messages' } },
  settings: 'Standalone',
})

function readSettings() {
  try {
    const read = readStandaloneSettings()
    demandDomains(read)
    toRegistrationCheck(read, 0)
    // It knows its own URL when it is given none, and only this machine comes here.
    const ownUrl = read.PUBLIC_URL ?? (isLoopback(read.HOST) ? 'http://localhost' : undefined)
    return { ...read, providers: toProviders(read, ownUrl) }
  } catch (error) {
    return fail(error)
  }
}

const settings = readSettings()
const logger = createLogger('flotilla', settings.LOG_LEVEL, lines)
let starting: Promise<Standalone | undefined> = Promise.resolve(undefined)
let ending = false

const end = drainOnSignal({
  logger,
  drainMsMax,
  steps: [
    {
      name: 'say',
      run() {
        ending = true
        say('\nStopping …')
      },
    },
    // In the middle of a start too: what has begun is brought to its end, then stopped.
    { name: 'standalone', run: async () => (await starting)?.stop() },
    { name: 'say', run: () => say('Stopped.') },
  ],
})

/** Without the page everything else works; why there is none is said. */
const buildPage = () =>
  buildSite(sentence => say(`  ${sentence}`)).catch((error: unknown) => {
    say(`  Warning: ${(error as Error).message}`)
    return undefined
  })

const start = async () => {
  const siteFolder = await buildPage()
  return ending ? undefined : startStandalone({ ...options, siteFolder })
}

const options: StandaloneOptions = {
  folder: settings.FLOTILLA_FOLDER,
  host: settings.HOST,
  port: settings.PORT,
  publicUrl: settings.PUBLIC_URL,
  trustedProxies: settings.TRUSTED_PROXIES,
  addressHeader: settings.ADDRESS_HEADER,
  allowedOrigins: settings.ALLOWED_ORIGINS,
  databaseUrl: settings.DATABASE_URL,
  redisUrl: settings.REDIS_URL,
  nodeId: settings.NODE_ID,
  operators: settings.OPERATORS,
  eventLoopDelayMsMax: settings.EVENT_LOOP_DELAY_MS_MAX,
  registration: settings,
  bounds: toBounds(settings),
  providers: settings.providers,
  returnUrls: settings.RETURN_URLS,
  deploymentName: settings.DEPLOYMENT_NAME,
  mail: settings.SMTP_URL === undefined ? undefined : { url: settings.SMTP_URL, from: settings.MAIL_FROM },
  push: {
    fcm: settings.FCM_ACCOUNT,
    vapid: {
      publicKey: settings.VAPID_PUBLIC_KEY,
      privateKey: settings.VAPID_PRIVATE_KEY,
      subject: settings.VAPID_SUBJECT,
    },
    names: settings.PUSH_CONTENT === 'names',
  },
  operator: settings.OPERATOR_PORT === 0 ? undefined : { host: settings.OPERATOR_HOST, port: settings.OPERATOR_PORT },
  demo: flags.has('demo'),
  logger,
  onFault(error) {
    process.stderr.write(`\n${error.message}\n`)
    void end('fault', 1)
  },
}
say('Starting Flotilla …')
for (const sentence of warnOfUnread()) say(`  Warning: ${sentence}.`)
starting = start().catch(fail)

const standalone = await starting
if (standalone !== undefined && !ending) {
  const { url, devInboxUrl, demo } = standalone
  say(forPeople ? greeting(standalone) : `Flotilla is up: ${url}`, {
    url,
    docs: `${url}/docs`,
    devInboxUrl,
    // Without it nobody could look around who reads this in the logs of a container.
    demo: demo && signInAs(demo),
  })
}

function signInAs({ usernames, password }: NonNullable<Standalone['demo']>): string {
  return `sign in as ${usernames.join(', ')} with the password ${password}`
}

function greeting({ url, devInboxUrl, demo }: Standalone): string {
  const chat = `npm run chat --${url === 'http://localhost:8080' ? '' : ` --url ${url}`}`
  const store = [
    `PostgreSQL: ${settings.DATABASE_URL === undefined ? `embedded, in ${settings.FLOTILLA_FOLDER}/postgres` : 'external (DATABASE_URL)'}`,
    `broker: ${settings.REDIS_URL === undefined ? 'in-process' : 'Redis (REDIS_URL)'}`,
  ].join(' · ')
  return `
  Flotilla is up: ${url}

  Chat            open it in a browser, and as somebody else in a private window
  Build on it     ${url}${startPath}
  API docs        ${url}/docs
${devInboxUrl === undefined ? '' : `  Mail and push   ${devInboxUrl}: everything that would have been sent\n`}  In a terminal   in two more of them:
                  ${chat} --as alice --with bob
                  ${chat} --as bob --with alice
${demo === undefined ? '' : `\n  Demo            ${signInAs(demo)}\n`}
  ${store}
  Keys: ${settings.FLOTILLA_FOLDER}/keys.json. Without them no message can be read.
  Press Ctrl-C to stop. Your data is kept for the next start.
`
}
