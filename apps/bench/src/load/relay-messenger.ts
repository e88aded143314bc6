/** A connection to the bare relay. There is no seq and no receipt: the number of the message stands in for its place. */
import { idOf } from '../ids.ts'
import { LeanSocket } from './lean-socket.ts'
import { type Address, type Messenger, type MessengerEvents, type Person, readStamp, type Target } from './messenger.ts'

type Frame =
  | { readonly ready: true }
  | { readonly acked: number }
  | { readonly number: number; readonly conversation: string; readonly text: string }

export class RelayMessenger implements Messenger {
  private readonly address: Address
  private readonly person: Person
  private readonly events: MessengerEvents
  private socket: LeanSocket | undefined

  constructor(address: Address, person: Person, events: MessengerEvents) {
    this.address = address
    this.person = person
    this.events = events
  }

  connect(): Promise<void> {
    const greeting = Promise.withResolvers<void>()
    const { from, number } = this.person
    const place = { ...this.address, path: `/${idOf('user', number)}`, ...(from === undefined ? {} : { from }) }
    this.socket = new LeanSocket(place, {
      open: () => {},
      frame: (buffer, start, end) => {
        const frame = JSON.parse(buffer.toString('utf8', start, end)) as Frame
        if ('ready' in frame) greeting.resolve()
        else this.read(frame)
      },
      close: (code, reason) => {
        greeting.reject(new Error(`unable to connect: closed with ${code} ${reason}`))
        if (this.socket !== undefined) this.events.closed(code, reason)
      },
    })
    return greeting.promise
  }

  send(target: Target, number: number, text: string): void {
    this.socket?.send(
      `{"number":${number},"to":"${target.user}","conversation":"${target.conversation}","text":"${text}"}`,
    )
  }

  delivered(): void {}

  ping(): void {}

  cut(): void {
    const { socket } = this
    this.socket = undefined
    socket?.cut()
  }

  private read(frame: Exclude<Frame, { ready: true }>): void {
    if ('acked' in frame) return this.events.acked(frame.acked, frame.acked)
    const { conversation, number, text } = frame
    this.events.received({ conversation, seq: number, ...readStamp(text) })
  }
}
