/**
 * Bare uWebSockets.js: every socket is subscribed to one topic, and what a socket sends is published to it. Nobody signs
 * in, nothing is stored. It is the ceiling of fan-out, and the floor of memory for an idle connection.
 */
import { App } from 'uWebSockets.js'

const topic = 'all'
const app = App()
app.ws('/*', {
  maxPayloadLength: 65_536,
  maxBackpressure: 64 * 1_048_576,
  idleTimeout: 0,
  sendPingsAutomatically: false,
  open: ws => void ws.subscribe(topic),
  // `app.publish` goes to the sender too; `ws.publish` leaves it out, as a gateway does.
  message: (ws, message) => void ws.publish(topic, message, false),
})
app.get('/*', response => void response.end('ready'))
app.listen('127.0.0.1', Number(process.env['PORT']), listening => {
  if (listening === false) throw new Error(`unable to listen on port ${process.env['PORT']}`)
})
process.on('SIGTERM', () => process.exit())
