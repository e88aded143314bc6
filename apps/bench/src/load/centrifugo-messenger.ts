/**
 * A connection to Centrifugo, by its JSON protocol: signed in by a token, subscribed to the channel of its person. A subscription
 * that the server ends because its place in the stream is in doubt is renewed from where it was, as its own clients do.
 * There are no receipts, and the number of the message stands in for its place.
 */
import { createHmac } from 'node:crypto'
import { idOf } from '../ids.ts'
import { LeanSocket } from './lean-socket.ts'
import { type Address, type Messenger, type MessengerEvents, type Person, readStamp, type Target } from './messenger.ts'

/** Ids of commands: those of publications are even, those of subscriptions odd. */
const connecting = 1
const firstSubscribing = 3

interface Publication {
  readonly offset?: number
  readonly data: { readonly conversation: string; readonly text: string }
}

interface Reply {
  readonly id?: number
  readonly error?: { readonly message: string }
  readonly push?: { readonly pub?: Publication; readonly unsubscribe?: object }
  readonly subscribe?: {
    readonly epoch?: string
    readonly offset?: number
    readonly publications?: readonly Publication[]
  }
}

export class CentrifugoMessenger implements Messenger {
  private readonly address: Address
  private readonly secret: string
  private readonly person: Person
  private readonly events: MessengerEvents
  private socket: LeanSocket | undefined
  private readonly greeting = Promise.withResolvers<void>()
  private channel = ''
  /** What was read of the stream last. */
  private place: { epoch: string; offset: number } | undefined
  private lastPublishing = 0
  private lastSubscribing = firstSubscribing
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
    this.channel = `person:${user}`
    const place = { ...this.address, path: '/connection/websocket', ...(from === undefined ? {} : { from }) }
    this.socket = new LeanSocket(place, {
      open: () => {
        this.socket?.send(`{"id":${connecting},"connect":{"token":"${tokenOf(user, this.secret)}"}}`)
        this.socket?.send(`{"id":${firstSubscribing},"subscribe":{"channel":"${this.channel}"}}`)
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
    const id = (this.lastPublishing += 2)
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
    const { id, error, push, subscribe } = JSON.parse(line) as Reply
    if (push?.pub !== undefined) return this.take(push.pub)
    if (push?.unsubscribe !== undefined) return this.renew()
    if (id === undefined) return
    if (id % 2 === 1) return error === undefined ? this.subscribed(subscribe) : this.fail(error.message)
    const number = this.numbers.get(id)!
    this.numbers.delete(id)
    if (error === undefined) this.events.acked(number, number)
    else this.events.refused(number, error.message)
  }

  private take({ offset, data: { conversation, text } }: Publication): void {
    if (this.place !== undefined && offset !== undefined) this.place.offset = offset
    const stamp = readStamp(text)
    this.events.received({ conversation, seq: stamp.number, ...stamp })
  }

  private subscribed(subscribe: Reply['subscribe']): void {
    // The answer to the sign-in.
    if (subscribe === undefined) return
    for (const publication of subscribe.publications ?? []) this.take(publication)
    this.place = { epoch: subscribe.epoch ?? '', offset: subscribe.offset ?? 0 }
    this.greeting.resolve()
  }

  private renew(): void {
    const { epoch = '', offset = 0 } = this.place ?? {}
    const id = (this.lastSubscribing += 2)
    const from = `"recover":true,"epoch":"${epoch}","offset":${offset}`
    this.socket?.send(`{"id":${id},"subscribe":{"channel":"${this.channel}",${from}}}`)
  }

  private fail(reason: string): void {
    this.greeting.reject(new Error(`unable to connect: ${reason}`))
    this.events.closed(0, reason)
  }
}

function tokenOf(user: string, secret: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: user })}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}
