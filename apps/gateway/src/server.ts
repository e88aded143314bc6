/**
 * The only file that knows uWebSockets.js. A socket must never be touched after its close, not even getUserData(): the
 * connection forgets it in the close handler, which uWebSockets.js calls exactly once.
 */
import { type ErrorCode, errors, Refusal } from '@flotilla/protocol'
import { requestIdOf } from '@flotilla/service'
import type { HttpRequest, HttpResponse, us_listen_socket, WebSocket, WebSocketBehavior } from 'uWebSockets.js'
import { setHeaderBytesMax } from './config.ts'
import type { Socket } from './connection.ts'

export interface UpgradeRequest {
  readonly origin: string
  /** Sockets that were upgraded and are open. */
  readonly connections: number
  /** The address that the socket comes from: of the caller, or of the last proxy. */
  readonly peer: string
  /** All lines of a header, joined by commas; empty when there is none. */
  header(name: string): string
}

/** Who calls, and whether they must come back later, of which they hear once the socket is open. */
export interface Caller {
  readonly address: string
  readonly retryMs: number
}

export interface UpgradeQuery extends Caller {
  readonly ticket: string
  readonly version: string
  /** Whether a frame may hold several replies and events, one a line. */
  readonly lines: boolean
  /** Of the upgrade, if a proxy gave it one. */
  readonly requestId: string | undefined
}

/** What a server does with a socket. `T` is what `open` makes of it. */
export interface SocketEvents<T> {
  /** Before the upgrade. @returns an HTTP answer instead of it, or what `open` is to know of the caller */
  upgrade(request: UpgradeRequest): { status: string; retryAfterSeconds: number } | { status: string } | Caller
  open(socket: Socket, query: UpgradeQuery): T
  message(opened: T, text: string, bytes: number): void
  /** A frame that is not text. */
  binary(opened: T): void
  /** Something that waited was taken. */
  drained(opened: T): void
  /** @param clean whether there was a close frame, of whichever side */
  close(opened: T, clean: boolean): void
}

export interface SocketServer {
  /** The port in use; another than asked for when 0 was asked for. */
  readonly port: number
  /** Takes no new connections; those that are here stay. */
  stopListening(): void
  /** Closes everything at once. */
  close(): void
}

/** 16 kB, as the API takes them, and 4 kB for what proxies add. Above it uWebSockets.js answers 431 by itself. */
const headerBytesMax = 20_480
/** Of RFC 6455, and the only one there is. */
const socketVersion = '13'
/** What uWebSockets.js says when a socket ended without a close frame. */
const abnormalClosure = 1006

interface Slot<T> {
  /** Undefined once it was opened: the ticket alone takes 176 bytes for as long as the socket lives. */
  query: UpgradeQuery | undefined
  opened: T | undefined
  /** The code that it was closed with. */
  code: number | undefined
}

interface ServerOptions {
  readonly host: string
  readonly port: number
  readonly path: string
  readonly frameBytesMax: number
  readonly sendQueueBytesMax: number
  readonly replyBytesMax: number
  readonly socketsMax: number
  readonly idleSeconds: number
}

export async function serveSockets<T>(options: ServerOptions, events: SocketEvents<T>): Promise<SocketServer> {
  setHeaderBytesMax(headerBytesMax)
  const { App, us_listen_socket_close, us_socket_local_port } = await import('uWebSockets.js')
  const app = App()
  const counts = { connections: 0, sockets: 0 }
  // A file that a socket takes is missing elsewhere: nobody could ask for the health of a process without files.
  app.filter((response, change) => {
    counts.sockets += change
    if (change > 0 && counts.sockets > options.socketsMax) response.close()
  })
  app.ws<Slot<T>>(options.path, {
    // A frame a little above the limit is answered with an error; one far above it is cut off by uWebSockets.js.
    maxPayloadLength: options.frameBytesMax * 2,
    // It would drop silently past its own limit; ours is lower and closes, so that nothing is dropped unseen.
    maxBackpressure: options.sendQueueBytesMax * 4 + options.replyBytesMax * 2,
    closeOnBackpressureLimit: false,
    idleTimeout: options.idleSeconds,
    sendPingsAutomatically: false,
    compression: 0,
    ...socketHandlers(options.path, events, counts),
  })
  app.any('/*', (response, request) => refuse(response, request, options.path))
  const listening = await new Promise<us_listen_socket>((resolve, reject) => {
    app.listen(options.host, options.port, socket => {
      if (socket === false) reject(new Error(`unable to listen on ${options.host}:${options.port}: is the port taken?`))
      else resolve(socket)
    })
  })
  let open = true
  const stopListening = () => {
    if (open) us_listen_socket_close(listening)
    open = false
  }
  return {
    port: us_socket_local_port(listening),
    stopListening,
    close() {
      open = false
      app.close()
    },
  }
}

/** @param counts what is open, which these keep */
const socketHandlers = <T>(
  path: string,
  events: SocketEvents<T>,
  counts: { connections: number; sockets: number },
): Pick<WebSocketBehavior<Slot<T>>, 'upgrade' | 'open' | 'message' | 'drain' | 'close'> => ({
  upgrade(response, request, context) {
    // uWebSockets.js does not look at it.
    if (request.getHeader('sec-websocket-version') !== socketVersion) return refuse(response, request, path)
    const verdict = events.upgrade({
      origin: request.getHeader('origin'),
      connections: counts.connections,
      peer: Buffer.from(response.getRemoteAddressAsText()).toString('latin1'),
      header: name => linesOf(request, name),
    })
    if ('status' in verdict) {
      response.writeStatus(verdict.status)
      if ('retryAfterSeconds' in verdict) response.writeHeader('retry-after', String(verdict.retryAfterSeconds))
      response.end(undefined, true)
      return
    }
    const query = {
      ticket: request.getQuery('ticket') ?? '',
      version: request.getQuery('v') ?? '',
      lines: request.getQuery('lines') === '1',
      requestId: requestIdOf(request.getHeader('x-request-id')),
      ...verdict,
    }
    const slot: Slot<T> = { query, opened: undefined, code: undefined }
    response.upgrade(
      slot,
      request.getHeader('sec-websocket-key'),
      // Offered protocols are not for us: none is chosen.
      '',
      request.getHeader('sec-websocket-extensions'),
      context,
    )
  },
  open(ws: WebSocket<Slot<T>>) {
    counts.connections++
    const slot = ws.getUserData()
    slot.opened = events.open(ws, slot.query!)
    slot.query = undefined
    // Whoever is refused is closed in there, before there was anything that could be told of it.
    if (slot.code !== undefined) events.close(slot.opened, slot.code !== abnormalClosure)
  },
  message(ws, message, isBinary) {
    const { opened } = ws.getUserData()
    if (opened === undefined) return
    if (isBinary) events.binary(opened)
    else events.message(opened, Buffer.from(message).toString('utf8'), message.byteLength)
  },
  drain(ws) {
    const { opened } = ws.getUserData()
    if (opened !== undefined) events.drained(opened)
  },
  close(ws, code) {
    counts.connections--
    // The filter does not hear of the end of what was upgraded.
    counts.sockets--
    const slot = ws.getUserData()
    slot.code = code
    if (slot.opened !== undefined) events.close(slot.opened, code !== abnormalClosure)
  },
})

/** getHeader() tells the first line only, which is the caller's own where proxies write one behind it. */
function linesOf(request: HttpRequest, name: string): string {
  const lines: string[] = []
  request.forEach((header, value) => header === name && lines.push(value))
  return lines.join(',')
}

/** Whatever opens no socket, in the shape of the API's errors. */
function refuse(response: HttpResponse, request: HttpRequest, path: string): void {
  const method = request.getMethod().toUpperCase()
  const code =
    request.getUrl() !== path ? 'route_unknown' : method === 'GET' ? 'upgrade_required' : 'method_not_allowed'
  const status = errors[code].http
  response.writeStatus(`${status} ${reasons[code]}`).writeHeader('content-type', 'application/json')
  if (code === 'upgrade_required') {
    response.writeHeader('connection', 'upgrade').writeHeader('upgrade', 'websocket')
    response.writeHeader('sec-websocket-version', socketVersion)
  }
  if (code === 'method_not_allowed') response.writeHeader('allow', 'GET')
  if (method === 'HEAD') response.endWithoutBody()
  else response.end(JSON.stringify({ error: new Refusal(code).toBody() }))
}

const reasons = {
  route_unknown: 'Not Found',
  method_not_allowed: 'Method Not Allowed',
  upgrade_required: 'Upgrade Required',
} as const satisfies Partial<Record<ErrorCode, string>>
