/**
 * People who do nothing but talk in pairs, in a process of their own: what an attack costs them is measured here, apart from
 * the attacker's event loop. One of a pair is on the first gateway, the other on the second. They do as the SDK does when
 * their connection ends: come back when the close says so, resume, and send what was not acknowledged.
 */
import { randomUUID } from 'node:crypto'
import { closeAdvice } from '@flotilla/protocol'
import { connectSocket, type Fields, type Frame, SocketClosedError, type TestSocket } from '@flotilla/testing'
import { atRate, createTokenSigner, Histogram, serveCalls } from '@flotilla/testing/load'
import { createCall } from './rest.ts'

export interface Bystander {
  readonly user: string
  readonly session: string
  readonly from: string
}

export interface BystandersPlan {
  readonly api: string
  /** Where the gateways are. */
  readonly sockets: readonly [string, string]
  readonly tokenKeys: string
  readonly pairs: readonly { readonly people: readonly [Bystander, Bystander]; readonly conversation: string }[]
  readonly messagesPerSecond: number
}

/** Since the mark. Latencies are encoded Histograms. */
export interface BystanderCounts {
  /** From the send to its arrival at the other person. What has not arrived counts as old as it is. */
  readonly messageMs: string
  readonly messages: number
  /** Of a request to the API. */
  readonly restMs: string
  /** Requests that were refused, or not answered. */
  readonly restRefused: number
  /** Connections that ended, and sends that were refused. */
  readonly cut: number
  readonly sendsRefused: number
}

const restsPerSecond = 5
const reconnectMs = 500

type Send = Fields<'message.send'>

export class BystanderProgram {
  private readonly plan: BystandersPlan
  private readonly sign: (person: Bystander) => string
  private readonly underWay = new Map<string, number>()
  private readonly open = new Map<string, TestSocket>()
  /** By person: the highest seq that they were told, and what they have not got rid of while they had no connection. */
  private readonly heard = new Map<string, number>()
  private readonly unsent = new Map<string, Send[]>()
  private readonly ends: (() => void)[] = []
  private messageMs = new Histogram()
  private restMs = new Histogram()
  private counts = { messages: 0, restRefused: 0, cut: 0, sendsRefused: 0 }

  constructor(plan: BystandersPlan) {
    this.plan = plan
    this.sign = createTokenSigner({ keys: plan.tokenKeys, issuer: 'flotilla', audience: 'flotilla' })
  }

  /** Resolves when everybody is connected and talks. */
  async start(): Promise<void> {
    const { pairs, messagesPerSecond } = this.plan
    await Promise.all(pairs.flatMap(({ people }) => people.map((person, nth) => this.connect(person, nth))))
    let turn = 0
    this.ends.push(
      atRate(messagesPerSecond, () => this.say(turn++)),
      atRate(restsPerSecond, () => void this.ask(turn)),
    )
  }

  mark(): void {
    this.messageMs = new Histogram()
    this.restMs = new Histogram()
    this.counts = { messages: 0, restRefused: 0, cut: 0, sendsRefused: 0 }
    this.underWay.clear()
  }

  read(): BystanderCounts {
    const now = performance.now()
    const messageMs = new Histogram(this.messageMs.encoded())
    // As old as they are, if that is older than most: the youngest are only on their way.
    for (const sentAt of this.underWay.values()) if (now - sentAt > 1_000) messageMs.record(now - sentAt)
    return { messageMs: messageMs.encoded(), restMs: this.restMs.encoded(), ...this.counts }
  }

  async stop(): Promise<void> {
    for (const end of this.ends) end()
    const sockets = [...this.open.values()]
    this.open.clear()
    await Promise.all(sockets.map(socket => socket.terminate()))
  }

  private async connect(person: Bystander, nth: number): Promise<void> {
    const headers = { 'x-forwarded-for': person.from }
    const call = createCall(this.plan.api)
    const { body } = await call('GET /v1/connect', { token: this.sign(person), from: person.from })
    const onFrame = (frame: Frame) => this.hear(person, frame)
    const socket = await connectSocket({
      url: this.plan.sockets[nth]!,
      ticket: body.ticket as string,
      headers,
      keep: false,
      onFrame,
    })
    this.open.set(person.user, socket)
    void socket.closed.then(({ code }) => {
      if (!this.open.delete(person.user)) return
      this.counts.cut++
      const again = (waitMs: number) => {
        const back = () => this.connect(person, nth).catch(() => again(reconnectMs))
        const timer = setTimeout(() => void back(), waitMs)
        this.ends.push(() => clearTimeout(timer))
      }
      again(closeAdvice(code) === 'now' ? 0 : reconnectMs)
    })
    if (this.heard.has(person.user) || this.unsent.has(person.user)) await this.resume(person, socket)
  }

  private async resume(person: Bystander, socket: TestSocket): Promise<void> {
    const { conversation } = this.plan.pairs.find(({ people }) => people.includes(person))!
    const cursors = [{ conversation, seq: this.heard.get(person.user) ?? 0 }]
    const { verdicts } = await socket.request('sync.resume', { cursors, only: true }, 60_000)
    for (const verdict of verdicts)
      if (verdict.verdict === 'replayed') for (const entry of verdict.entries) this.hear(person, entry)
    const unsent = this.unsent.get(person.user) ?? []
    this.unsent.delete(person.user)
    for (const send of unsent) this.send(person, send)
  }

  private say(turn: number): void {
    const pair = this.plan.pairs[turn % this.plan.pairs.length]!
    const person = pair.people[Math.floor(turn / this.plan.pairs.length) % 2]!
    const clientId = randomUUID()
    this.underWay.set(clientId, performance.now())
    this.counts.messages++
    this.send(person, { conversation: pair.conversation, clientId, body: { text: 'good morning' } })
  }

  private send(person: Bystander, send: Send): void {
    const keep = () => this.unsent.set(person.user, [...(this.unsent.get(person.user) ?? []), send])
    const socket = this.open.get(person.user)
    if (socket === undefined) return void keep()
    socket.request('message.send', send, 60_000).catch((error: unknown) => {
      if (error instanceof SocketClosedError) keep()
      else this.counts.sendsRefused++
    })
  }

  private hear(person: Bystander, frame: Frame): void {
    if (!('event' in frame) || frame.event !== 'message.new' || frame.by === person.user) return
    this.heard.set(person.user, Math.max(frame.seq, this.heard.get(person.user) ?? 0))
    const sentAt = this.underWay.get(frame.clientId)
    if (sentAt === undefined) return
    this.underWay.delete(frame.clientId)
    this.messageMs.record(performance.now() - sentAt)
  }

  private async ask(turn: number): Promise<void> {
    const person = this.plan.pairs[turn % this.plan.pairs.length]!.people[0]
    const startedAt = performance.now()
    const counts = this.counts
    const call = createCall(this.plan.api)
    const status = await call('GET /v1/conversations', { token: this.sign(person), from: person.from }).then(
      answer => answer.status,
      () => 0,
    )
    if (status !== 200) counts.restRefused++
    this.restMs.record(performance.now() - startedAt)
  }
}

serveCalls(plan => new BystanderProgram(plan))
