/**
 * A device as a process of its own, so that a test can set its clock: somebody who signs in, answers each message that is
 * no answer, and says on its output, a line of JSON each, what it is told.
 */
import { textOf } from '@flotilla/protocol'
import { createClient, createSignIn } from '@flotilla/sdk'

/** What it is started with, as JSON in CLOCK_DEVICE. */
export interface ClockDevice {
  readonly api: string
  readonly username: string
  readonly password: string
  /** Where it connects, whatever the API says: through a proxy. */
  readonly socket: string
  readonly pingTimeoutMs: number
}

/** A line of its output. `at` is monotonic. */
export type DeviceLine =
  | { readonly state: string; readonly at: number }
  | { readonly seq: number; readonly text: string; readonly at: number }
  | { readonly error: string; readonly at: number }

const device = JSON.parse(process.env['CLOCK_DEVICE'] ?? '{}') as ClockDevice

// No Omit: the keys of a union are those that all have.
const say = (line: object) =>
  process.stdout.write(`${JSON.stringify({ ...line, at: Math.round(performance.now()) })}\n`)

class ProxiedSocket extends WebSocket {
  constructor(url: string) {
    super(device.socket + new URL(url).search)
  }
}

const account = createSignIn(device.api)
const { username, password } = device
await account.signIn({ username, password })
const client = createClient({
  history: 'all',
  api: device.api,
  getToken: account.getToken,
  WebSocket: ProxiedSocket,
  settings: { pingTimeoutMs: device.pingTimeoutMs },
})
client.on('state', ({ name }) => say({ state: name }))
client.on('error', ({ error, during }) => say({ error: `${during}: ${error.message}` }))
client.on('message', ({ conversation, seq, body, by }) => {
  const text = textOf(body)
  say({ seq, text })
  if (by !== client.user && text.startsWith('ask ')) client.send({ conversation, body: { text: `answer ${text}` } })
})
await client.start()
process.once('SIGTERM', () => void client.stop().then(() => process.exit(0)))
