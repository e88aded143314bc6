/** For tests: a service that speaks the HTTP v1 protocol of FCM, and fails in all the ways that it is told to. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, connect as connectSocket, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'

export interface FcmRequest {
  readonly token: string
  readonly collapseKey: string
  readonly uptoSeq: number
  /** As it came. */
  readonly message: FcmMessage
  readonly authorization: string
}

export interface FcmMessage {
  readonly token: string
  readonly data: Readonly<Record<string, string>>
  readonly notification: { readonly title: string; readonly body: string }
  readonly android?: { readonly collapse_key: string; readonly [field: string]: unknown }
  readonly apns?: Readonly<Record<string, unknown>>
  readonly webpush?: Readonly<Record<string, unknown>>
}

export type FcmReaction =
  | 'take'
  /** Takes it, and never says so. */
  | 'take and hang'
  | 'hang'
  /** Takes it, and cuts the connection. */
  | 'take and cut'
  | {
      readonly status: number
      readonly code: string
      readonly retryAfter?: string
      readonly date?: string
      readonly html?: boolean
    }

/** A push that arrived at a device. */
export interface Taken extends FcmRequest {
  /** By performance.now(). */
  readonly at: number
}

export interface FcmTestbed {
  readonly port: number
  readonly taken: readonly Taken[]
  readonly requests: readonly { readonly token: string; readonly at: number }[]
  /** The most requests that were open at once. */
  readonly openMax: number
  connect(): Socket
  close(): Promise<void>
}

const fcmError = 'type.googleapis.com/google.firebase.fcm.v1.FcmError'

export async function startFcm(react: (request: FcmRequest) => FcmReaction, port = 0): Promise<FcmTestbed> {
  const taken: Taken[] = []
  const requests: { token: string; at: number }[] = []
  let open = 0
  let openMax = 0

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    openMax = Math.max(openMax, ++open)
    response.once('close', () => open--)
    const { message } = JSON.parse(await text(request)) as { message: FcmMessage }
    const apnsHeaders = message.apns?.['headers'] as Record<string, string> | undefined
    const webHeaders = message.webpush?.['headers'] as Record<string, string> | undefined
    const collapseKey =
      message.android?.collapse_key ?? apnsHeaders?.['apns-collapse-id'] ?? webHeaders?.['Topic'] ?? ''
    const one: FcmRequest = {
      token: message.token,
      collapseKey,
      uptoSeq: Number(message.data['uptoSeq']),
      message,
      authorization: request.headers.authorization ?? '',
    }
    requests.push({ token: one.token, at: performance.now() })
    if (!/^\/v1\/projects\/[\w-]+\/messages:send$/.test(request.url ?? '')) return void response.writeHead(404).end()
    const reaction = react(one)
    if (reaction === 'hang') return
    if (typeof reaction === 'object') return refuse(response, reaction)
    taken.push({ ...one, at: performance.now() })
    if (reaction === 'take and hang') return
    if (reaction === 'take and cut') return void request.socket.destroy()
    response
      .writeHead(200, { 'content-type': 'application/json; charset=UTF-8' })
      .end(JSON.stringify({ name: `projects/test/messages/${taken.length}` }))
  }

  const server = createServer((request, response) => void handle(request, response).catch(() => response.destroy()))
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  const address = server.address() as AddressInfo
  return {
    port: address.port,
    taken,
    requests,
    get openMax() {
      return openMax
    },
    connect: () => connectSocket(address.port, '127.0.0.1'),
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function refuse(response: ServerResponse, reaction: Exclude<FcmReaction, string>): void {
  const { status, code, retryAfter, date, html } = reaction
  const error = { code: status, message: 'no', status: code, details: [{ '@type': fcmError, errorCode: code }] }
  response
    .writeHead(status, {
      'content-type': html === true ? 'text/html' : 'application/json; charset=UTF-8',
      ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }),
      ...(date === undefined ? {} : { date }),
    })
    .end(html === true ? '<html>no</html>' : JSON.stringify({ error }))
}

/** What firebase-admin takes for a credential. */
export const fakeCredential = {
  getAccessToken: () => Promise.resolve({ access_token: 'fake', expires_in: 3_600 }),
}
