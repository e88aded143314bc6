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
    const path = (request.url ?? '').split('?')[0]
    if (path === '/healthz') return send(200, 'text/plain', 'ok\n')
    if (path === '/readyz') {
      const reason = options.ready()
      return send(reason === undefined ? 200 : 503, 'text/plain', `${reason ?? 'ready'}\n`)
    }
    if (path === '/metrics')
      return void options.registry.metrics().then(
        body => send(200, options.registry.contentType, body),
        (error: unknown) => send(500, 'text/plain', `${String(error)}\n`),
      )
    return send(404, 'text/plain', 'not found\n')
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
