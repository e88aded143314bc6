/** What each process accepts as a setting can work, and what cannot is refused with the rule. */
import { apiSettings, generateTokenKey, readApiSettings } from '@flotilla/api'
import { gatewaySettings, readGatewaySettings } from '@flotilla/gateway'
import { generateSecretKey, type Settings } from '@flotilla/service'
import { workerSettings } from '@flotilla/worker'
import { expect, test } from 'vitest'
import { standaloneSettings, warnOfUnread } from './config.ts'

const processes: Readonly<Record<string, Settings>> = {
  gateway: gatewaySettings,
  api: apiSettings,
  worker: workerSettings,
  standalone: standaloneSettings,
}

/** By setting, in whichever process it is: what is taken, and what is refused with which rule. */
const table: Readonly<Record<string, { good: readonly string[]; bad: readonly (readonly [string, RegExp])[] }>> = {
  DATABASE_URL: {
    good: ['postgres://me:x@db/chat', 'postgresql://db?sslmode=require'],
    bad: [
      ['db:5432', /must be postgres/],
      ['postgres://one,two/chat', /must name one host/],
      ['postgres://db/chat?schema=public', /cannot have the parameter schema/],
      ['postgres://db/chat?sslmode=on', /must have sslmode=/],
    ],
  },
  REDIS_URL: {
    good: [
      'redis://cache',
      'rediss://:x%2F@cache:6380/0',
      'redis://[::1]:6379',
      'redis-cluster://one:6379,two',
      'rediss-cluster://me:x@one:1',
    ],
    bad: [
      ['cache:6379', /must begin with redis:/],
      ['http://cache:6379', /must begin with redis:/],
      ['redis://one:6379,two:6379', /redis-cluster/],
      ['redis://cache:99999', /host:port/],
      ['redis://', /host:port/],
      ['redis://cache/main', /a number as its database/],
      ['redis-cluster://one/2', /a cluster has none/],
      ['redis://cache?db=1', /must not have a query/],
      ['redis://:pa/ss@cache', /percent-encoded/],
    ],
  },
  ALLOWED_ORIGINS: {
    good: ['https://chat.example', 'https://a.example:8443, http://localhost:3000', '*', 'capacitor://localhost'],
    bad: [
      ['https://chat.example/', /without a path or a slash at the end: https:\/\/chat\.example/],
      ['https://chat.example/app', /without a path/],
      ['https://chat.example?x', /without a path/],
      ['https://*.example', /without a wildcard/],
      ['https://chat.example,*', /without a wildcard/],
      ['chat.example', /https:\/\/host/],
      ['https://Chat.Example', /as browsers send them: https:\/\/chat\.example/],
      ['https://chat.example:443', /as browsers send them: https:\/\/chat\.example/],
      ['null', /https:\/\/host/],
    ],
  },
  WEBAUTHN_ORIGINS: {
    good: ['https://chat.example', `android:apk-key-hash:${'a'.repeat(43)}`],
    bad: [
      ['https://chat.example/', /slash/],
      ['android:apk-key-hash:short', /https:\/\/host/],
    ],
  },
  GATEWAY_URLS: {
    good: ['wss://chat.example/v1/socket', 'eu=wss://eu.example/v1/socket'],
    bad: [
      ['https://chat.example/v1/socket', /must begin with ws:\/\/ or wss:\/\//],
      ['eu=wss://eu.example', /must have a path/],
    ],
  },
  SMTP_URL: {
    good: ['smtps://me:x@mail:465', 'smtp://mail:587?requireTLS=true'],
    bad: [
      ['mail:25', /must begin with smtp:/],
      ['https://mail', /must begin with smtp:/],
    ],
  },
  TRACES_URL: { good: ['http://collector:4318/v1/traces'], bad: [['collector:4318', /must begin with http:/]] },
  S3_ENDPOINT: {
    good: ['https://s3.example'],
    bad: [
      ['s3.example', /must begin with http:/],
      ['s3://bucket', /must begin with http:/],
    ],
  },
  HOST: {
    good: ['0.0.0.0', '::', 'localhost'],
    bad: [
      ['http://0.0.0.0', /without scheme/],
      ['0.0.0.0:80', /without scheme/],
    ],
  },
  OPERATOR_HOST: { good: ['127.0.0.1'], bad: [['[::1]', /without scheme/]] },
  NODE_ID: {
    good: ['gateway-1.chat'],
    bad: [
      ['gateway 1', /letters, digits/],
      ['a/b', /letters, digits/],
    ],
  },
  REGION: { good: ['eu-1'], bad: [['eu west', /letters, digits/]] },
  WEB_PUSH_HOSTS: { good: ['Push.example'], bad: [['https://push.example', /names of hosts/]] },
  MAIL_FROM: {
    good: ['Harbour <no@harbour.example>', 'no@harbour.example'],
    bad: [
      ['Harbour', /must be an address/],
      ['<no@harbour.example', /must be an address/],
    ],
  },
  VAPID_SUBJECT: {
    good: ['mailto:us@chat.example', 'https://chat.example'],
    bad: [
      ['us@chat.example', /must be mailto:/],
      ['http://chat.example', /must be mailto:/],
    ],
  },
}

const cases = Object.entries(table).flatMap(([name, { good, bad }]) => [
  ...good.map(text => [name, text, undefined] as const),
  ...bad.map(([text, rule]) => [name, text, rule] as const),
])

test.each(cases)('%s=%s', (name, text, rule) => {
  const declared = Object.values(processes).flatMap(settings => settings[name] ?? [])
  expect(declared.length).toBeGreaterThan(0)
  for (const { parse } of declared)
    if (rule === undefined) expect(() => parse(text)).not.toThrow()
    else expect(() => parse(text)).toThrow(rule)
})

test.each([
  [
    'gateway',
    gatewaySettings.PUBLIC_URL,
    ['wss://chat.example/v1/socket'],
    [
      'chat.example:443',
      'https://chat.example/v1/socket',
      'wss://chat.example',
      'wss://chat.example/v1/socket?x',
      'wss://chat.example/v1/socket#x',
    ],
  ],
  [
    'API',
    apiSettings.PUBLIC_URL,
    ['https://chat.example', 'https://chat.example/api/'],
    ['chat.example', 'chat.example:443', 'wss://chat.example', 'https://chat.example?x'],
  ],
  ['standalone', standaloneSettings.PUBLIC_URL, ['http://10.0.0.7:8080'], ['10.0.0.7:8080', 'ws://10.0.0.7:8080']],
] as const)('PUBLIC_URL of the %s', (_name, { parse }, good, bad) => {
  for (const text of good) expect(parse(text), text).toMatch(/^\w+:\/\//)
  for (const text of bad) expect(() => parse(text), text).toThrow(/^must /)
})

test('no URL of any process is taken without its scheme, or with that of something else', () => {
  for (const [process_, settings] of Object.entries(processes))
    for (const [name, { type, parse }] of Object.entries(settings))
      if (type === 'URL' || name === 'PUBLIC_URL')
        for (const text of ['chat.example', 'chat.example:443', '//chat.example/x', 'gopher://chat.example/x'])
          expect(() => parse(text), `${process_} ${name}=${text}`).toThrow(/^must /)
})

const common = {
  DATABASE_URL: 'postgres://db/chat',
  REDIS_URL: 'redis://cache',
  MASTER_KEYS: generateSecretKey('m'),
  TICKET_KEYS: generateSecretKey('t'),
}
const files = 65_536

test('what contradicts itself is refused: the gateway', () => {
  const read = (more: Record<string, string>, limit = files) => readGatewaySettings({ ...common, ...more }, limit)
  expect(read({ CONNECTIONS_MAX: '65000', DATABASE_CONNECTIONS_MAX: '6' })).toMatchObject({ CONNECTIONS_MAX: 65_000 })
  expect(() => read({ RECONNECT_BASE_MS: '5000', RECONNECT_MAX_MS: '1000' })).toThrow(
    /RECONNECT_BASE_MS must not be above/,
  )
  expect(() => read({}, 4_096)).toThrow(
    'unable to start: CONNECTIONS_MAX is 18000, but a file limit of 4096 allows at most 3940',
  )
  expect(read({ CONNECTIONS_MAX: '3940' }, 4_096)).toMatchObject({ CONNECTIONS_MAX: 3_940 })
  expect(read({ CONNECTIONS_MAX: '1000000' }, Number.POSITIVE_INFINITY)).toMatchObject({ CONNECTIONS_MAX: 1_000_000 })
})

test('what contradicts itself is refused: the API', () => {
  const keys = { REFRESH_KEYS: generateSecretKey('r'), TOKEN_KEYS: generateTokenKey() }
  const read = (more: Record<string, string>, limit = files) => readApiSettings({ ...common, ...keys, ...more }, limit)
  const REGIONS = 'eu:50:8,us:39:-77'
  expect(read({ REGIONS, REGION: 'eu' })).toMatchObject({ REGION: 'eu' })
  expect(() => read({ REGIONS })).toThrow('unable to start: the region local is not one of REGIONS')
  expect(() => read({ REGIONS, REGION: 'eu', GATEWAY_URLS: 'as=wss://as.example/x' })).toThrow(/region as is not one/)
  const origins = { WEBAUTHN_ORIGINS: 'https://chat.example,https://app.chat.example' }
  expect(read(origins)).toMatchObject({ WEBAUTHN_RP_ID: undefined })
  expect(() => read({ ...origins, WEBAUTHN_RP_ID: 'app.chat.example' })).toThrow(
    /passkeys of app\.chat\.example cannot be used on https:\/\/chat\.example/,
  )
  expect(() => read({ ...origins, WEBAUTHN_RP_ID: 'at.example' })).toThrow(/cannot be used/)
  expect(() => read({}, 1_024)).toThrow(/REQUESTS_IN_FLIGHT_MAX is 1000, but a file limit of 1024/)
})

test('npm start says which settings it does not read', () => {
  expect(
    warnOfUnread({
      PATH: '/bin',
      PORT: '8080',
      FLOTILLA_FOLDER: '.flotilla',
      SMTP_URL_FILE: '/run/smtp',
      CONNECTIONS_MAX: '5',
      TOKEN_KEYS_FILE: '/run/keys',
      MAILS_AT_ONCE_MAX: '3',
      TRUSTED: '',
      FLOTILLA_PROT: '8081',
      SIGN_INS_MAX: '',
      POD_NAME: 'x',
    }),
  ).toEqual([
    'CONNECTIONS_MAX is a setting of the gateway and ignored here',
    'TOKEN_KEYS_FILE is a setting of the API and ignored here',
    'MAILS_AT_ONCE_MAX is a setting of the worker and ignored here',
    'FLOTILLA_PROT is unknown and ignored',
  ])
})
