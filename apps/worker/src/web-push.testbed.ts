/** For tests: a push service of browsers, and a browser that can read what arrives. */
import { createECDH, createPublicKey, randomBytes, verify } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import { createRequire } from 'node:module'
import { type AddressInfo, connect as connectSocket, type Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'

/** The library that web-push encrypts with; it has no types. */
const require = createRequire(createRequire(import.meta.url).resolve('web-push'))
const { decrypt } = require('http_ece') as {
  decrypt(body: Buffer, options: { version: 'aes128gcm'; privateKey: unknown; authSecret: string }): Buffer
}

export interface WebPushReaction {
  readonly status: number
  readonly retryAfter?: string
  /** Goes on answering without an end. */
  readonly endless?: boolean
}

export interface ArrivedWebPush {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

export interface WebPushTestbed {
  readonly arrived: readonly ArrivedWebPush[]
  connect(): Socket
  close(): Promise<void>
}

export async function startWebPushService(
  react: (request: ArrivedWebPush) => WebPushReaction | 'hang',
): Promise<WebPushTestbed> {
  const arrived: ArrivedWebPush[] = []
  const server = createServer((request, response) => {
    void buffer(request).then(body => {
      const one = { path: request.url ?? '', headers: request.headers, body }
      arrived.push(one)
      const reaction = react(one)
      if (reaction === 'hang') return
      const { status, retryAfter, endless } = reaction
      response.writeHead(status, retryAfter === undefined ? {} : { 'retry-after': retryAfter })
      const pour = () => {
        while (response.writable && response.write(Buffer.alloc(65_536)));
      }
      if (endless === true) pour()
      else response.end()
      response.on('drain', pour)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    arrived,
    connect: () => connectSocket(port, '127.0.0.1'),
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** A subscription as a browser makes it, and its private half. */
export function makeSubscription(): {
  readonly keys: { readonly p256dh: string; readonly auth: string }
  read(body: Buffer): Record<string, unknown>
} {
  const pair = createECDH('prime256v1')
  pair.generateKeys()
  const auth = randomBytes(16).toString('base64url')
  return {
    keys: { p256dh: pair.getPublicKey('base64url'), auth },
    read(body) {
      const plain = decrypt(body, { version: 'aes128gcm', privateKey: pair, authSecret: auth })
      return JSON.parse(plain.toString('utf8')) as Record<string, unknown>
    },
  }
}

/** The claims of a VAPID header, if its signature is by the key that it names and that key is ours. */
export function readVapid(header: string, publicKey: string): Record<string, unknown> | undefined {
  const [, token = '', key] = /^vapid t=([\w.-]+), k=([\w-]+)$/.exec(header) ?? []
  const [head = '', claims = '', signature = ''] = token.split('.')
  if (key !== publicKey) return undefined
  const point = Buffer.from(publicKey, 'base64url')
  const jwk = {
    kty: 'EC',
    crv: 'P-256',
    x: point.subarray(1, 33).toString('base64url'),
    y: point.subarray(33).toString('base64url'),
  }
  const isSigned = verify(
    'sha256',
    Buffer.from(`${head}.${claims}`),
    { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  )
  return isSigned ? (JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>) : undefined
}
