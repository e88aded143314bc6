/** Both sides of an edge under test: callers from any loopback address, and tiny servers that stand for API and gateways. */
import { createHash } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type Server } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { findNginx, type Nginx } from '../nginx.ts'

/** @returns undefined, after saying so aloud, where none can be had */
export async function nginxOrSkip(): Promise<Nginx | undefined> {
  try {
    return await findNginx()
  } catch (error) {
    console.warn(`SKIPPED, the tests of the edge: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}

export interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly bodyBytes: number
}

export interface Backend {
  readonly name: string
  readonly port: number
  /** `127.0.0.1:port` */
  readonly at: string
  readonly seen: Seen[]
  /** Sockets that are open now. */
  sockets(): number
  /** Answers so from now on; `hang` waits until it behaves otherwise, `cut` breaks the connection off. */
  behave(how: 'well' | 'hang' | 'cut' | { readonly status: number; readonly headers?: Record<string, string> }): void
  /** Breaks everything off and listens no more. */
  close(): Promise<void>
}

/** Answers `{backend, method, url, headers}` to everything, and echoes what comes on upgraded connections. */
export async function startBackend(options: { name: string; host?: string; port?: number }): Promise<Backend> {
  const { name, host = '127.0.0.1', port = 0 } = options
  const seen: Seen[] = []
  const connections = new Set<Socket>()
  const upgraded = new Set<Duplex>()
  let waiting: (() => void)[] = []
  let how: Parameters<Backend['behave']>[0] = 'well'

  const note = (request: IncomingMessage, bodyBytes: number) => {
    const { method = '', url = '', headers } = request
    const one = { method, url, headers, bodyBytes }
    seen.push(one)
    return one
  }
  const server: Server = createServer((request, response) => {
    let bytes = 0
    request.on('data', (chunk: Buffer) => (bytes += chunk.length))
    request.on('end', () => {
      const { method, url, headers } = note(request, bytes)
      const answer = (): void => {
        if (how === 'hang') {
          waiting.push(answer)
          return
        }
        if (how === 'cut') {
          request.socket.destroy()
          return
        }
        const { status = 200, headers: more = {} } = how === 'well' ? {} : how
        response.writeHead(status, { 'content-type': 'application/json', ...more })
        response.end(JSON.stringify({ backend: name, method, url, headers }))
      }
      answer()
    })
  })
  server.on('connection', socket => {
    connections.add(socket)
    socket.on('close', () => connections.delete(socket))
  })
  server.on('upgrade', (request, socket) => {
    note(request, 0)
    socket.on('error', () => {})
    if (how === 'hang') return
    if (how !== 'well') {
      const no = how === 'cut' ? '' : `HTTP/1.1 ${how.status} No\r\ncontent-length: 0\r\nretry-after: 7\r\n\r\n`
      socket.end(no)
      return
    }
    upgraded.add(socket)
    socket.on('close', () => upgraded.delete(socket))
    const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
    const accept = createHash('sha1').update(key).digest('base64')
    const head = ['HTTP/1.1 101 Switching Protocols', 'upgrade: websocket', 'connection: upgrade', `x-node: ${name}`]
    socket.write(`${head.join('\r\n')}\r\nsec-websocket-accept: ${accept}\r\n\r\n`)
    socket.on('data', (chunk: Buffer) => void socket.write(chunk))
    socket.on('end', () => void socket.end())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, backlog: 1024 }, resolve)
  })
  const { port: inUse } = server.address() as { port: number }
  return {
    name,
    port: inUse,
    at: `${host}:${inUse}`,
    seen,
    sockets: () => upgraded.size,
    behave(next) {
      how = next
      const held = waiting
      waiting = []
      for (const answer of held) answer()
    },
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        for (const socket of [...connections, ...upgraded]) socket.destroy()
      }),
  }
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly json: { readonly [name: string]: unknown; readonly headers?: Readonly<Record<string, string>> }
}

export interface Asking {
  readonly port: number
  readonly path?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  /** The loopback address that the caller comes from. */
  readonly from?: string
  /** How the bytes of the answer become its text: `latin1` keeps each of them. */
  readonly encoding?: 'utf8' | 'latin1'
}

/** One request on a connection of its own. */
export function ask(asking: Asking): Promise<Answer> {
  const { port, path = '/v1/me', method = 'GET', headers = {}, body, from, encoding = 'utf8' } = asking
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port,
        path,
        method,
        headers: { ...headers, ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }) },
        agent: false,
        timeout: 15_000,
        ...(from === undefined ? {} : { localAddress: from }),
      },
      response => {
        let text = ''
        response.setEncoding(encoding)
        response.on('data', (chunk: string) => (text += chunk))
        response.on('end', () => {
          const isJson = response.headers['content-type']?.startsWith('application/json') === true
          const json = (isJson && text !== '' ? JSON.parse(text) : {}) as Answer['json']
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json })
        })
        response.on('error', reject)
      },
    )
    asked.on('timeout', () => asked.destroy(new Error('no answer within 15 s')))
    asked.on('error', reject)
    asked.end(body)
  })
}

/** Sends bytes as they are and collects what comes until the other side closes, or `untilMs` have passed. */
export function sendRaw(
  port: number,
  text: string,
  options: { from?: string; untilMs?: number } = {},
): Promise<string> {
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port, ...(options.from ? { localAddress: options.from } : {}) })
    let got = ''
    const done = () => {
      clearTimeout(late)
      socket.destroy()
      resolve(got)
    }
    const late = setTimeout(done, options.untilMs ?? 5_000)
    socket.on('data', (chunk: Buffer) => (got += chunk.toString('latin1')))
    socket.on('error', done)
    socket.on('close', done)
    socket.write(text)
  })
}

export interface CallerSocket {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** The backend that answered. */
  readonly node: string
  readonly open: boolean
  readonly closed: Promise<void>
  /** Sends a text and waits until it has come back. */
  echo(text: string): Promise<void>
  end(): void
}

/** Asks for an upgrade. Whatever the answer is, it is told: 101, or a refusal. */
export function openSocket(asking: Omit<Asking, 'method' | 'body'>): Promise<CallerSocket> {
  const { port, path = '/v1/socket?ticket=t1cket', headers = {}, from } = asking
  const socket = connect({ host: '127.0.0.1', port, ...(from === undefined ? {} : { localAddress: from }) })
  const key = 'dGhlIHNhbXBsZSBub25jZQ=='
  const lines = [`GET ${path} HTTP/1.1`, 'host: edge.example', 'upgrade: websocket', 'connection: Upgrade']
  const own = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  socket.write([...lines, `sec-websocket-key: ${key}`, 'sec-websocket-version: 13', ...own, '\r\n'].join('\r\n'))
  let got = ''
  let open = true
  const closed = new Promise<void>(resolve => {
    socket.on('error', () => {})
    socket.on('close', () => {
      open = false
      resolve()
    })
  })
  return new Promise((resolve, reject) => {
    void closed.then(() => reject(new Error(`closed before an answer: ${got}`)))
    socket.on('data', (chunk: Buffer) => {
      got += chunk.toString('latin1')
      const end = got.indexOf('\r\n\r\n')
      if (end < 0) return
      socket.removeAllListeners('data')
      const [first = '', ...rest] = got.slice(0, end).split('\r\n')
      const answered = Object.fromEntries(
        rest.map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
      )
      const status = Number(first.split(' ')[1])
      if (status !== 101) socket.destroy()
      resolve({
        status,
        headers: answered,
        node: answered['x-node'] ?? '',
        get open() {
          return open
        },
        closed,
        echo: text =>
          new Promise((done, fail) => {
            let back = ''
            const late = setTimeout(() => fail(new Error(`not echoed within 15 s: ${text}`)), 15_000)
            const listen = (data: Buffer) => {
              back += data.toString()
              if (back !== text) return
              clearTimeout(late)
              socket.off('data', listen)
              done()
            }
            socket.on('data', listen)
            socket.write(text)
          }),
        end: () => void socket.destroy(),
      })
    })
  })
}

/** How many of each. */
export function tally<T>(values: Iterable<T>): Map<T, number> {
  const counted = new Map<T, number>()
  for (const value of values) counted.set(value, (counted.get(value) ?? 0) + 1)
  return counted
}
