/**
 * Examples for the OpenAPI document, put together from the schemas: each field has a value by its name, which is taken
 * where its schema allows it. A new field whose values are not evident needs a line here; a test says so.
 */

/** As much of JSON Schema as the document has. */
export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly format?: string
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
}

const alice = '0197f6a0-6c0d-4a57-8a43-7f9d3c1e5b22'
const bob = '0197f6a0-9d41-4b36-9f0e-2c8a51d07e64'
const group = '0197f6a2-8e0a-4d0e-9f57-2f2f1c9d6a11'
const other = '0197f6a3-1c55-4c0b-b0ad-0c6b6a1f4d33'
const now = 1_767_225_600_000
const bytes = 'q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA'

/** Of several values the first that fits is taken. */
const values: Readonly<Record<string, readonly unknown[]>> = {
  about: ['On the boat until Sunday'],
  accessToken: ['eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIwMTk3ZjZhMCJ9.c2lnbmF0dXJl'],
  accessTokenExpiresInMs: [600_000],
  address: ['203.0.113.7'],
  agent: ['Firefox on Linux'],
  alg: ['EdDSA', -8],
  attempts: [3],
  attestationObject: ['o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YVg'],
  authenticatorData: ['SZYN5YgOjGh0NBcPZHZgW4_krrmihjLHmVzzuoMdl2MFAAAAAQ'],
  auth: ['tBHItJI5svbpez7KI4CCXg'],
  avatar: [other],
  body: ['{"text": "Hello"}'],
  by: [alice],
  challenge: [other, bytes],
  clientDataJSON: ['eyJ0eXBlIjoid2ViYXV0aG4uZ2V0In0'],
  code: ['123456'],
  comment: ['Sends the same link to everybody'],
  conversation: [group],
  country: ['NZ'],
  current: ['correct horse battery staple', true],
  deviceName: ['Alice’s laptop'],
  displayName: ['Alice'],
  email: ['alice@example.org', true],
  endpoint: ['https://updates.push.services.mozilla.com/wpush/v2/gAAAAABn'],
  epoch: [1],
  error: ['the address does not take mail'],
  expiresInMs: [600_000],
  from: [40, '22:00'],
  grant: ['r4nD0mGrantOfTheVisit'],
  hints: ['client-device'],
  id: [alice, 'mYPasskey-0197f6a0', 4711],
  kid: ['2026-01'],
  kind: ['mail'],
  lifeMs: [600_000],
  memberCount: [12],
  mentions: [bob],
  members: [bob],
  name: ['Harbour crew'],
  next: [other, 'eyJhZnRlciI6NDJ9', 4711],
  note: ['We met at the harbour'],
  p256dh: ['BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM'],
  passkeys: [1],
  password: ['correct horse battery staple', true],
  protocol: [1],
  provider: ['github'],
  rawId: ['mYPasskey-0197f6a0'],
  reason: ['unregistered'],
  recoveryCodes: ['f3k9-72mq-x8dp'],
  recoveryCodesLeft: [10],
  refreshToken: ['rt1.0197f6a0.7.c2lnbmF0dXJl'],
  region: ['eu'],
  request: [other],
  resendAfterMs: [60_000],
  returnTo: ['https://chat.example.org/back'],
  rpId: ['chat.example.org'],
  secret: [bytes],
  session: [other],
  signature: ['MEUCIQDx1ZtOE2kS8Y0nYw'],
  signedInBy: ['password'],
  status: [201],
  text: ['Hello'],
  ticket: ['t1.0197f6a0.c2lnbmF0dXJl'],
  ticketExpiresInMs: [30_000],
  timeout: [300_000],
  title: ['GitHub'],
  token: ['fGh7Kq:APA91bExampleRegistrationToken'],
  transports: ['internal'],
  unread: [3],
  untilMs: [3_600_000],
  until: ['07:00'],
  upload: [other],
  uri: ['otpauth://totp/Flotilla:alice?secret=JBSWY3DPEHPK3PXP&issuer=Flotilla'],
  url: ['https://files.chat.example.org/uploads/0197f6a3'],
  user: [bob],
  userHandle: ['AZf2oGwNSleKQ3-dPB5bIg'],
  username: ['alice'],
  users: [bob],
  vapidPublicKey: ['BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM'],
  x: [bytes],
  zone: ['Europe/Madrid'],
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

function fits(
  { type, pattern, format, minimum, maximum, minLength = 0, maxLength = Infinity }: Schema,
  value: unknown,
) {
  if (typeof value === 'string')
    return (
      type === 'string' &&
      format !== 'binary' &&
      value.length >= minLength &&
      value.length <= maxLength &&
      (pattern === undefined || new RegExp(pattern).test(value))
    )
  if (typeof value === 'number')
    return (
      (type === 'integer' || type === 'number') && value >= (minimum ?? -Infinity) && value <= (maximum ?? Infinity)
    )
  return type === typeof value
}

/** Fields that are alike whatever their name: times, ids, counts. */
function byKind(name: string, { type, minimum = 0 }: Schema): readonly unknown[] {
  if (type === 'integer' || type === 'number') return /(At|Until|^at|After)$/.test(name) ? [now] : [42, minimum]
  return type === 'boolean' ? [true] : [other]
}

/**
 * Makes an example of a schema.
 * @param name of the field, by which its value is chosen
 * @param resolve finds what a reference points to
 * @returns undefined where there is none to be made: bytes, and texts without a line above
 */
export function exampleOf(schema: Schema, resolve: (ref: string) => Schema, name = ''): unknown {
  if (schema.$ref !== undefined) return exampleOf(resolve(schema.$ref), resolve, name)
  if (schema.enum !== undefined) return schema.enum[0]
  if (schema.anyOf !== undefined) {
    const shown = schema.anyOf.find(one => one.type !== 'null')
    return shown === undefined ? null : exampleOf(shown, resolve, name)
  }
  if (schema.type === 'object')
    return Object.fromEntries(
      Object.entries(schema.properties ?? {}).map(([field, inner]) => [field, exampleOf(inner, resolve, field)]),
    )
  if (schema.type === 'array') return [exampleOf(schema.items ?? {}, resolve, name)]
  if (schema.type === 'null') return null
  return [...(values[name] ?? []), ...byKind(name, schema)].find(value => fits(schema, value))
}
