/** A signed-in connection to a gateway of Flotilla, over the lean socket. */
import { randomUUID } from 'node:crypto'
import { closeAdvice, protocolVersion, type ReplyOf } from '@flotilla/protocol'
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

/** Ids below it are the numbers of messages, those above it belong to other commands. */
const requestIdMin = 2 ** 31

/** The events of what `act` does. */
const actions = new Set(['message.reacted', 'message.edited', 'message.pinned', 'message.unpinned'])

interface Frame {
  id?: number
  ok?: { seq: number }
  error?: { code: string; retryMs?: number }
  event?: string
  conversation?: string
  seq?: number
  body?: { text: string }
  heads?: { conversation: string; head: number }[]
}

/** A connection was refused or closed; says what the server advises. */
export class Closed extends Error {
  readonly advice: 'now' | 'after' | 'never'
  readonly retryMs: number

  constructor(code: number, reason: string) {
    super(`unable to keep a connection: closed with ${code} ${reason}`)
    this.advice = closeAdvice(code)
    this.retryMs = Number(/"retryMs":(\d+)/.exec(reason)?.[1] ?? 0)
  }
}

export class FlotillaMessenger implements Messenger {
  private readonly address: Address
  private readonly ticketKeys: readonly SecretKey[]
  private readonly person: Person
  private readonly events: MessengerEvents
  private readonly memory: FrameMemory | undefined
  private socket: LeanSocket | undefined
  private requestId = requestIdMin
  private readonly waiting = new Map<number, PromiseWithResolvers<unknown>>()
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
    const { number, from } = this.person
    const ticket = signTicket(
      this.ticketKeys,
      { user: idOf('user', number), session: idOf('session', number) },
      Date.now(),
    )
    const path = `/v1/socket?ticket=${ticket}&v=${protocolVersion}&lines=1`
    const place = { ...this.address, path, ...(from === undefined ? {} : { from }) }
    const socket = new LeanSocket(place, {
      open: () => {},
      frame: (buffer, start, end) => this.read(buffer, start, end),
      close: (code, reason) => {
        if (this.socket !== socket) return
        this.socket = undefined
        const error = new Closed(code, reason)
        for (const one of this.waiting.values()) one.reject(error)
        this.waiting.clear()
        if (this.greeting !== undefined) this.greeting.reject(error)
        else this.events.closed(code, reason)
        this.greeting = undefined
      },
    })
    this.socket = socket
    return greeting.promise
  }

  send(target: Target, number: number, text: string): void {
    this.socket?.send(
      `{"id":${number},"op":"message.send","conversation":"${target.conversation}","clientId":"${randomUUID()}","body":{"text":"${text}"}}`,
    )
  }

  act(target: Target, number: number, action: Action): void {
    const { do: verb, message, ...rest } = action
    const fields = 'text' in rest ? { body: { text: rest.text } } : 'emoji' in rest ? { ...rest, on: true } : rest
    const command = { conversation: target.conversation, clientId: randomUUID(), target: message, ...fields }
    this.socket?.send(asciiJson({ id: number, op: `message.${verb}`, ...command }))
  }

  delivered(conversation: string, seq: number): void {
    this.socket?.send(`{"op":"message.delivered","conversation":"${conversation}","seq":${seq}}`)
  }

  ping(): void {
    this.socket?.send(`{"id":${this.nextId()},"op":"ping"}`)
  }

  resume(cursors: readonly { conversation: string; seq: number }[]): Promise<ReplyOf<'sync.resume'>> {
    return this.request('sync.resume', { cursors }) as Promise<ReplyOf<'sync.resume'>>
  }

  /** The latest entries, unless those after one are asked for. */
  history(conversation: string, page: { after?: number; limit?: number }): Promise<ReplyOf<'history.page'>> {
    return this.request('history.page', { conversation, ...page }) as Promise<ReplyOf<'history.page'>>
  }

  cut(): void {
    const { socket } = this
    this.socket = undefined
    socket?.cut()
    for (const one of this.waiting.values()) one.reject(new Closed(1006, 'cut'))
    this.waiting.clear()
  }

  private nextId(): number {
    this.requestId++
    return this.requestId
  }

  /** @throws Closed when the connection is gone, or goes before the answer */
  private async request(op: string, fields: object): Promise<unknown> {
    if (this.socket === undefined) throw new Closed(1006, 'before')
    const id = this.nextId()
    const waiting = Promise.withResolvers<unknown>()
    this.waiting.set(id, waiting)
    this.socket.send(JSON.stringify({ id, op, ...fields }))
    return waiting.promise
  }

  /** A frame holds a line for each reply and event. */
  private read(buffer: Buffer, start: number, end: number): void {
    for (let from = start; from < end; ) {
      const lineBreak = buffer.indexOf(10, from)
      const to = lineBreak === -1 || lineBreak > end ? end : lineBreak
      this.readLine(buffer, from, to)
      from = to + 1
    }
  }

  private readLine(buffer: Buffer, start: number, end: number): void {
    const known = this.memory?.recall(buffer, start, end)
    if (known !== undefined) return this.events.received(known)
    const frame = JSON.parse(buffer.toString('utf8', start, end)) as Frame
    if (frame.event === 'message.new') {
      const { sender, number, sentAtMs } = readStamp(frame.body!.text)
      const received = { conversation: frame.conversation!, seq: frame.seq!, sender, number, sentAtMs }
      this.memory?.remember(buffer, start, end, received)
      this.events.received(received)
    } else if (frame.event !== undefined && actions.has(frame.event))
      this.events.acted?.(frame.conversation!, frame.seq!)
    else if (frame.id !== undefined) this.readReply(frame.id, frame)
    else if (frame.event === 'hello') {
      this.greeting?.resolve()
      this.greeting = undefined
    } else if (frame.event === 'sync.heads') this.events.heads?.(frame.heads!)
    else if (frame.event === 'error') this.events.refused(-1, frame.error!.code)
  }

  private readReply(id: number, frame: Frame): void {
    if (id < requestIdMin) {
      if (frame.ok === undefined) this.events.refused(id, frame.error?.code ?? 'no reason')
      else this.events.acked(id, frame.ok.seq)
      return
    }
    const waiting = this.waiting.get(id)
    this.waiting.delete(id)
    if (frame.ok === undefined) waiting?.reject(new Error(`unable to get an answer: ${frame.error?.code}`))
    else waiting?.resolve(frame.ok)
  }
}
