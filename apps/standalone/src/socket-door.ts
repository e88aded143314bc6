/**
 * The one port for people: REST is answered by the API on it, and a socket that opens there is handed on to the
 * gateway's own port on the loopback, byte by byte. Nobody here looks into a frame. Only who called is written into the
 * head, as a proxy does, in the place of what callers say of themselves.
 */
import type { IncomingMessage, Server } from 'node:http'
import { connect, type Socket } from 'node:net'
import { addressHeaders } from '@flotilla/service'

/** In which header it does. */
export const doorHeader = 'x-forwarded-for'

/** How long a client that reads nothing may take for the last bytes after the gateway has closed. */
const lingerMs = 10_000
const closeMsMax = 1_000
const away = 'HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n'

export interface SocketDoor {
  /** Waits until the sockets that the gateway has closed are gone, and breaks off those that take too long. */
  close(): Promise<void>
}

/** Hands on sockets that open at `path`; every other request stays one, whatever it would like to become. */
export function openSocketDoor(
  server: Server,
  path: string,
  gatewayPort: number,
  callerOf: (request: IncomingMessage) => string,
): SocketDoor {
  const open = new Set<Socket>()
  // Node 22.21 and later ask; the types do not know it yet.
  Object.assign(server, { shouldUpgradeCallback: (request: IncomingMessage) => request.url?.split('?')[0] === path })
  server.on('upgrade', (request, duplex, head) => {
    const client = duplex as Socket
    const gateway = connect({ host: '127.0.0.1', port: gatewayPort, noDelay: true })
    open.add(client)
    // The server's time-outs are for requests.
    client.setTimeout(0)
    client.setNoDelay(true)
    // Headers are bytes that need not be UTF-8, and Node reads them as Latin-1.
    gateway.write(headOf(request, callerOf(request)), 'latin1')
    gateway.write(head)
    client.pipe(gateway)
    gateway.pipe(client)
    client.on('error', () => gateway.destroy())
    client.once('close', () => {
      open.delete(client)
      gateway.destroy()
    })
    gateway.on('error', () => {})
    gateway.once('close', failed => {
      if (failed && gateway.bytesRead > 0) client.destroy()
      else {
        client.end(failed ? away : '')
        client.setTimeout(lingerMs, () => client.destroy())
      }
    })
  })
  return {
    async close() {
      const gone = [...open].map(client => new Promise(resolve => client.once('close', resolve)))
      const late = setTimeout(() => {
        for (const client of open) client.destroy()
      }, closeMsMax)
      await Promise.all(gone)
      clearTimeout(late)
    },
  }
}

const claims: ReadonlySet<string> = new Set(addressHeaders)

function headOf(request: IncomingMessage, caller: string): string {
  let text = `${request.method} ${request.url} HTTP/1.1\r\n`
  for (let at = 0; at < request.rawHeaders.length; at += 2)
    if (!claims.has(request.rawHeaders[at]!.toLowerCase()))
      text += `${request.rawHeaders[at]}: ${request.rawHeaders[at + 1]}\r\n`
  return `${text}${doorHeader}: ${caller}\r\n\r\n`
}
