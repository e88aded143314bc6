/**
 * A connection to the Socket.IO server, over the lean socket: Engine.IO 4 and Socket.IO 5 framing by hand, so that the
 * load costs the same on both sides.
 */
import { type SecretKey, signTicket } from '@flotilla/service'
import { idOf } from '../ids.ts'
import type { FrameMemory } from './frame-memory.ts'
import { asciiJson, LeanSocket } from './lean-socket.ts'
import {
  type Action,
  type Address,
  type Messenger,
  type MessengerEvents,
  type Person,
  readStamp,
  type Target,
} from './messenger.ts'

/** The first character is Engine.IO's packet, the second Socket.IO's. */
const packets = { ping: '2', pong: '3', open: '0', connect: '40', refused: '44', event: '42', ack: '43' } as const

interface Stored {
  id: number
}
interface Message extends Stored {
  conversation: string
  text: string
}

export class SocketIoMessenger implements Messenger {
  private readonly address: Address
  private readonly ticketKeys: readonly SecretKey[]
  private readonly person: Person
  private readonly events: MessengerEvents
  private readonly memory: FrameMemory | undefined
  private socket: LeanSocket | undefined
  private greeting: PromiseWithResolvers<void> | undefined

  /** @param memory shared by those who get the same frames */
  constructor(
    address: Address,
    ticketKeys: readonly SecretKey[],
    person: Person,
    events: MessengerEvents,
    memory?: FrameMemory,
  ) {
    this.address = address
    this.ticketKeys = ticketKeys
    this.person = person
    this.events = events
    this.memory = memory
  }

  connect(): Promise<void> {
    const greeting = Promise.withResolvers<void>()
    this.greeting = greeting
    const { from } = this.person
    const path = '/socket.io/?EIO=4&transport=websocket'
    const place = { ...this.address, path, ...(from === undefined ? {} : { from }) }
    const socket = new LeanSocket(place, {
      open: () => {},
      frame: (buffer, start, end) => this.read(buffer, start, end),
      close: (code, reason) => {
        if (this.socket !== socket) return
        this.socket = undefined
        if (this.greeting === undefined) this.events.closed(code, reason)
        else this.greeting.reject(new Error(`unable to connect: closed with ${code} ${reason}`))
        this.greeting = undefined
      },
    })
    this.socket = socket
    return greeting.promise
  }

  send(target: Target, number: number, text: string): void {
    const to = target.user === undefined ? '' : `"to":"${target.user}",`
    this.socket?.send(
      `${packets.event}${number}["message",{${to}"conversation":"${target.conversation}","text":"${text}"}]`,
    )
  }

  act(target: Target, number: number, action: Action): void {
    const to = { to: target.user, conversation: target.conversation }
    this.socket?.send(`${packets.event}${number}["act",${asciiJson({ ...to, ...action })}]`)
  }

  delivered(_conversation: string, seq: number): void {
    this.socket?.send(`${packets.event}["delivered",{"id":${seq}}]`)
  }

  /** The server pings, and the answer is below. */
  ping(): void {}

  cut(): void {
    const { socket } = this
    this.socket = undefined
    socket?.cut()
  }

  private read(buffer: Buffer, start: number, end: number): void {
    const known = this.memory?.recall(buffer, start, end)
    if (known !== undefined) return this.events.received(known)
    const text = buffer.toString('utf8', start, end)
    if (text.startsWith(packets.event)) {
      const [name, message] = JSON.parse(text.slice(packets.event.length)) as [string, Message]
      if (name === 'acted') return this.events.acted?.(message.conversation, message.id)
      const { sender, number, sentAtMs } = readStamp(message.text)
      const received = { conversation: message.conversation, seq: message.id, sender, number, sentAtMs }
      this.memory?.remember(buffer, start, end, received)
      this.events.received(received)
    } else if (text.startsWith(packets.ack)) {
      const list = text.indexOf('[')
      const number = Number(text.slice(packets.ack.length, list))
      const [stored] = JSON.parse(text.slice(list)) as [Stored | { error: string }]
      if ('id' in stored) this.events.acked(number, stored.id)
      else this.events.refused(number, stored.error)
    } else if (text === packets.ping) this.socket?.send(packets.pong)
    else if (text.startsWith(packets.connect)) {
      this.greeting?.resolve()
      this.greeting = undefined
    } else if (text.startsWith(packets.refused)) this.greeting?.reject(new Error(`unable to connect: ${text}`))
    else if (text.startsWith(packets.open)) this.socket?.send(`${packets.connect}{"ticket":"${this.makeTicket()}"}`)
  }

  private makeTicket(): string {
    const { number } = this.person
    return signTicket(this.ticketKeys, { user: idOf('user', number), session: idOf('session', number) }, Date.now())
  }
}
