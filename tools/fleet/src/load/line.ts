/** The socket under a client of the load: lighter than the one that Node has built in, and it can be cut without a word. */
import type { Socket as TcpSocket } from 'node:net'
import type { Socket } from '@flotilla/sdk'
import { WebSocket } from 'ws'

export interface LineOptions {
  readonly headers?: Readonly<Record<string, string>>
  /** The node has said hello, and its name. It comes before the client hears of it. */
  greeted(node: string): void
}

export interface Line extends Socket {
  /** Breaks the connection off, as a power cut does: no close frame, a reset if anything. */
  cut(): void
}

const helloNode = /^\{"event":"hello".*?"node":"([^"]+)"/

export function openLine(url: string, options: LineOptions): Line {
  const socket = new WebSocket(url, {
    perMessageDeflate: false,
    skipUTF8Validation: true,
    ...(options.headers === undefined ? {} : { headers: options.headers }),
  })
  let tcp: TcpSocket | undefined
  socket.once('upgrade', response => {
    tcp = response.socket
  })
  const greet = (event: { readonly data: unknown }) => {
    const node = typeof event.data === 'string' ? helloNode.exec(event.data)?.[1] : undefined
    if (node === undefined) return
    socket.removeEventListener('message', greet)
    options.greeted(node)
  }
  socket.addEventListener('message', greet)
  return {
    send: text => socket.send(text),
    close: (code, reason) => socket.close(code, reason),
    addEventListener: (type, listener) => socket.addEventListener(type as 'message', listener),
    cut() {
      // TLS has no reset of its own; a socket that is only being opened is let go.
      if (tcp === undefined || 'encrypted' in tcp) socket.terminate()
      else tcp.resetAndDestroy()
    },
  }
}
