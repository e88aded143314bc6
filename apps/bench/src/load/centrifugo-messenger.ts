/**
 * A connection to Centrifugo, by its JSON protocol: signed in by a token, subscribed to the channel of its person. There are no
 * receipts, and the number of the message stands in for its place.
 */
import { createHmac } from 'node:crypto'
import { idOf } from '../ids.ts'
import { LeanSocket } from './lean-socket.ts'
import { type Address, type Messenger, type MessengerEvents, type Person, readStamp, type Target } from './messenger.ts'

/** Ids of commands; those of publications follow. */
const connecting = 1
const subscribing = 2

interface Reply {
  readonly id?: number
  readonly error?: { readonly message: string }
  readonly push?: { readonly pub?: { readonly data: { readonly conversation: string; readonly text: string } } }
}

export class CentrifugoMessenger implements Messenger {
  private readonly address: Address
  private readonly secret: string
  private readonly person: Person
  private readonly events: MessengerEvents
  private socket: LeanSocket | undefined
  private readonly greeting = Promise.withResolvers<void>()
  private lastId = subscribing
  /** By the ids of their commands. */
  private readonly numbers = new Map<number, number>()

  constructor(address: Address, secret: string, person: Person, events: MessengerEvents) {
    this.address = address
    this.secret = secret
    this.person = person
    this.events = events
  }

  connect(): Promise<void> {
    const { from, number } = this.person
    const user = idOf('user', number)
    const place = { ...this.address, path: '/connection/websocket', ...(from === undefined ? {} : { from }) }
    this.socket = new LeanSocket(place, {
      open: () => {
        this.socket?.send(`{"id":${connecting},"connect":{"token":"${tokenOf(user, this.secret)}"}}`)
        this.socket?.send(`{"id":${subscribing},"subscribe":{"channel":"person:${user}"}}`)
      },
      frame: (buffer, start, end) => {
        for (const line of buffer.toString('utf8', start, end).split('\n')) if (line !== '') this.read(line)
      },
      close: (code, reason) => {
        this.greeting.reject(new Error(`unable to connect: closed with ${code} ${reason}`))
        if (this.socket !== undefined) this.events.closed(code, reason)
      },
    })
    return this.greeting.promise
  }

  send(target: Target, number: number, text: string): void {
    const id = ++this.lastId
    this.numbers.set(id, number)
    const data = `{"conversation":"${target.conversation}","text":"${text}"}`
    this.socket?.send(`{"id":${id},"publish":{"channel":"person:${target.user}","data":${data}}}`)
  }

  delivered(): void {}

  /** The server pings, and is answered. */
  ping(): void {}

  cut(): void {
    const { socket } = this
    this.socket = undefined
    socket?.cut()
  }

  private read(line: string): void {
    if (line === '{}') return this.socket?.send('{}')
    const { id, error, push } = JSON.parse(line) as Reply
    if (push?.pub !== undefined) {
      const { conversation, text } = push.pub.data
      const stamp = readStamp(text)
      return this.events.received({ conversation, seq: stamp.number, ...stamp })
    }
    if (id === undefined) return
    if (id <= subscribing) {
      if (error !== undefined) this.greeting.reject(new Error(`unable to connect: ${error.message}`))
      else if (id === subscribing) this.greeting.resolve()
      return
    }
    const number = this.numbers.get(id)!
    this.numbers.delete(id)
    if (error === undefined) this.events.acked(number, number)
    else this.events.refused(number, error.message)
  }
}

function tokenOf(user: string, secret: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: user })}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}
