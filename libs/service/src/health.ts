/**
 * The port for operators: /healthz (the process turns over), /readyz (send it work), /metrics. It is apart from the
 * port for clients, so that it answers in a flood and is never exposed by mistake.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Registry } from './metrics.ts'

export interface Health {
  /** The port in use; another than asked for when 0 was asked for. */
  readonly port: number
  close(): Promise<void>
}

const paths = ['/healthz', '/readyz', '/metrics']

/**
 * Opens the port for operators.
 * @param ready answers undefined when the process wants work, otherwise the reason why not
 */
export async function serveHealth(options: {
  host: string
  port: number
  registry: Registry
  ready: () => string | undefined
}): Promise<Health> {
  const server = createServer((request, response) => {
    const send = (status: number, type: string, body: string) =>
      response.writeHead(status, { 'content-type': type }).end(body)
    const refuse = (status: number, code: string, message: string) =>
      send(status, 'application/json', JSON.stringify({ error: { code, message } }))
    const path = (request.url ?? '').split('?')[0] ?? ''
    if (!paths.includes(path)) return refuse(404, 'route_unknown', `there are only ${paths.join(', ')}`)
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD')
      return refuse(405, 'method_not_allowed', `${path} takes GET and HEAD, not ${request.method}`)
    }
    if (path === '/healthz') return send(200, 'text/plain', 'ok\n')
    if (path === '/readyz') {
      const reason = options.ready()
      return send(reason === undefined ? 200 : 503, 'text/plain', `${reason ?? 'ready'}\n`)
    }
    return void options.registry.metrics().then(
      body => send(200, options.registry.contentType, body),
      (error: unknown) => send(500, 'text/plain', `${String(error)}\n`),
    )
  })
  server.requestTimeout = 10_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
