/**
 * A connection to the bare uWebSockets.js server. It has no protocol: what a client sends is published as it came, so
 * the client sends a frame of the very shape and size that a gateway would deliver.
 */
import { textOf } from '@flotilla/protocol'
import { randomUUID } from 'node:crypto'
import { idOf } from '../ids.ts'
import type { FrameMemory } from './frame-memory.ts'
import { LeanSocket } from './lean-socket.ts'
import { type Address, type Messenger, type MessengerEvents, type Person, readStamp, type Target } from './messenger.ts'

export class UwsMessenger implements Messenger {
  private readonly address: Address
  private readonly person: Person
  private readonly events: MessengerEvents
  private readonly memory: FrameMemory | undefined
  private socket: LeanSocket | undefined

  /** @param memory shared by those who get the same frames */
  constructor(address: Address, person: Person, events: MessengerEvents, memory?: FrameMemory) {
    this.address = address
    this.person = person
    this.events = events
    this.memory = memory
  }

  connect(): Promise<void> {
    const greeting = Promise.withResolvers<void>()
    const { from } = this.person
    const place = { ...this.address, path: '/', ...(from === undefined ? {} : { from }) }
    this.socket = new LeanSocket(place, {
      open: () => greeting.resolve(),
      frame: (buffer, start, end) => this.read(buffer, start, end),
      close: (code, reason) => {
        greeting.reject(new Error(`unable to connect: closed with ${code} ${reason}`))
        if (this.socket !== undefined) this.events.closed(code, reason)
      },
    })
    return greeting.promise
  }

  /** The number stands in for the seq: nobody gives one here. */
  send(target: Target, number: number, text: string): void {
    this.socket?.send(
      `{"event":"message.new","conversation":"${target.conversation}","seq":${number},"epoch":1,"at":${Date.now()},"by":"${idOf('user', this.person.number)}","clientId":"${randomUUID()}","body":{"text":"${text}"}}`,
    )
    this.events.acked(number, number)
  }

  delivered(): void {}

  ping(): void {}

  cut(): void {
    const { socket } = this
    this.socket = undefined
    socket?.cut()
  }

  private read(buffer: Buffer, start: number, end: number): void {
    const known = this.memory?.recall(buffer, start, end)
    if (known !== undefined) return this.events.received(known)
    const frame = JSON.parse(buffer.toString('utf8', start, end)) as {
      conversation: string
      seq: number
      body: { text: string }
    }
    const received = { conversation: frame.conversation, seq: frame.seq, ...readStamp(textOf(frame.body)) }
    this.memory?.remember(buffer, start, end, received)
    this.events.received(received)
  }
}
