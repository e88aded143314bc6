/**
 * A bare relay: uWebSockets.js and Redis, and nothing else. Whoever connects is whom the URL says; a message is published to
 * the channel of its receiver, and the publish is its acknowledgement. Nothing is stored, numbered or looked up, and what
 * is published while the receiver is away is gone. It is the floor of what a message between two nodes costs.
 */
import { Redis } from 'ioredis'
import { App, type WebSocket } from 'uWebSockets.js'

interface Person {
  readonly user: string
}

const { PORT, REDIS_URL } = process.env
const publisher = new Redis(REDIS_URL!, { protocol: 2 })
const subscriber = publisher.duplicate()
const here = new Map<string, WebSocket<Person>>()

subscriber.on('message', (user: string, frame: string) => void here.get(user)?.send(frame))

const app = App()
app.ws<Person>('/:user', {
  maxPayloadLength: 65_536,
  idleTimeout: 0,
  sendPingsAutomatically: false,
  upgrade(response, request, context) {
    const header = (name: string) => request.getHeader(name)
    response.upgrade<Person>(
      { user: request.getParameter(0) ?? '' },
      header('sec-websocket-key'),
      header('sec-websocket-protocol'),
      header('sec-websocket-extensions'),
      context,
    )
  },
  open(ws) {
    const { user } = ws.getUserData()
    here.set(user, ws)
    void subscriber.subscribe(user).then(() => here.get(user) === ws && ws.send('{"ready":true}'))
  },
  message(ws, bytes) {
    const frame = Buffer.from(bytes).toString()
    const { number, to } = JSON.parse(frame) as { number: number; to: string }
    const { user } = ws.getUserData()
    void publisher.publish(to, frame).then(() => here.get(user)?.send(`{"acked":${number}}`))
  },
  close(ws) {
    const { user } = ws.getUserData()
    here.delete(user)
    void subscriber.unsubscribe(user)
  },
})
app.get('/*', response => void response.end('ready'))
app.listen('127.0.0.1', Number(PORT), listening => {
  if (listening === false) throw new Error(`unable to listen on port ${PORT}`)
})
process.on('SIGTERM', () => process.exit())
