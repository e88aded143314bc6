/**
 * Examples for the OpenAPI document: each field has a value by its name, which is taken where its schema allows it. A new
 * field whose values are not evident needs a line here; a test says so.
 */
import { type FieldValues, wireValues } from '@flotilla/protocol/schemas'

const alice = '0197f6a0-6c0d-4a57-8a43-7f9d3c1e5b22'
const bob = '0197f6a0-9d41-4b36-9f0e-2c8a51d07e64'
const other = '0197f6a3-1c55-4c0b-b0ad-0c6b6a1f4d33'
const bytes = 'q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA'

/** For the fields of REST; those of the wire have theirs. */
export const restValues: FieldValues = {
  ...wireValues,
  about: ['On the boat until Sunday'],
  accessToken: ['eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIwMTk3ZjZhMCJ9.c2lnbmF0dXJl'],
  accessTokenExpiresInMs: [600_000],
  action: ['suspended'],
  address: ['203.0.113.7'],
  agent: ['Firefox on Linux'],
  alg: ['EdDSA', -8],
  attempts: [3],
  attestationObject: ['o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YVg'],
  authenticatorData: ['SZYN5YgOjGh0NBcPZHZgW4_krrmihjLHmVzzuoMdl2MFAAAAAQ'],
  auth: ['tBHItJI5svbpez7KI4CCXg'],
  body: ['{"text": "Hello"}'],
  challenge: [other, bytes],
  clientDataJSON: ['eyJ0eXBlIjoid2ViYXV0aG4uZ2V0In0'],
  code: ['123456'],
  comment: ['Sends the same link to everybody'],
  country: ['NZ'],
  current: ['correct horse battery staple', true],
  day: ['2026-05-17'],
  deviceName: ['Alice’s laptop'],
  email: ['alice@example.org', true],
  endpoint: ['https://updates.push.services.mozilla.com/wpush/v2/gAAAAABn'],
  captcha: ['10000000-aaaa-bbbb-cccc-000000000001'],
  captchaSiteKey: ['10000000-ffff-ffff-ffff-000000000001'],
  device: ['0197f6a0-6c0d-4a57-8a43-7f9d3c1e5b22.0197f6a3-1c55-4c0b-b0ad-0c6b6a1f4d33.1764200000.c2lnbmF0dXJl'],
  domains: ['example.org'],
  invitation: ['f3k9-72mq-x8dp-4v1n'],
  solution: ['48151'],
  error: ['the address does not take mail'],
  event: ['message.new'],
  expiresInMs: [600_000],
  from: [40, '22:00'],
  grant: ['r4nD0mGrantOfTheFlow'],
  hints: ['client-device'],
  id: [alice, 'mYPasskey-0197f6a0', 4711],
  kid: ['2026-01'],
  kind: ['mail'],
  memberCount: [12],
  members: [bob],
  name: ['Harbour crew'],
  next: [other, 'eyJhZnRlciI6NDJ9', 4711],
  p256dh: ['BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM'],
  passkeys: [1],
  password: ['correct horse battery staple', true],
  program: ['admin@host'],
  provider: ['github'],
  rawId: ['mYPasskey-0197f6a0'],
  reason: ['unregistered'],
  recoveryCodes: ['f3k9-72mq-x8dp'],
  recoveryCodesLeft: [10],
  refreshToken: ['rt1.0197f6a0.7.c2lnbmF0dXJl'],
  request: [other],
  resendAfterMs: [60_000],
  returnTo: ['https://chat.example.org/back'],
  rpId: ['chat.example.org'],
  secret: [bytes],
  signature: ['MEUCIQDx1ZtOE2kS8Y0nYw'],
  signInMethod: ['password'],
  status: [201],
  ticket: ['t1.0197f6a0.c2lnbmF0dXJl'],
  ticketExpiresInMs: [30_000],
  timeout: [300_000],
  title: ['GitHub'],
  token: ['fGh7Kq:APA91bExampleRegistrationToken'],
  transports: ['internal'],
  untilMs: [3_600_000],
  until: ['07:00'],
  upload: [other],
  uri: ['otpauth://totp/Flotilla:alice?secret=JBSWY3DPEHPK3PXP&issuer=Flotilla'],
  url: ['https://files.chat.example.org/uploads/0197f6a3'],
  userHandle: ['AZf2oGwNSleKQ3-dPB5bIg'],
  vapidPublicKey: ['BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM'],
  x: [bytes],
}

/** Where fields exclude each other, so that putting them together would say something else. By the name of the operation. */
export const written: Readonly<Record<string, { readonly body?: unknown; readonly answer?: unknown }>> = {
  connect: {
    answer: {
      urls: [
        { url: 'wss://eu.chat.example.org/v1/socket', region: 'eu' },
        { url: 'wss://us.chat.example.org/v1/socket', region: 'us' },
      ],
      ticket: 't1.0197f6a0.c2lnbmF0dXJl',
      ticketExpiresInMs: 30_000,
      protocol: 1,
      epoch: 1,
    },
  },
  openConversation: { body: { kind: 'group', name: 'Harbour crew', members: [bob] } },
  registerDevice: {
    body: {
      name: 'Alice’s phone',
      platform: 'android',
      provider: 'fcm',
      token: 'fGh7Kq:APA91bExampleRegistrationToken',
    },
  },
  requestContact: { body: { username: 'bob', note: 'We met at the harbour' } },
}
