/** WebSockets for the SDK that take down what they were given and when, before the SDK gets it. */
import type { Entry, Event, EventIn, Op, Reply } from '@flotilla/protocol'
import { down } from '@flotilla/protocol/schemas'
import type { Socket, SocketConstructor, SocketEvent } from '@flotilla/sdk'
import type { Socket as NetSocket } from 'node:net'
import { WebSocket } from 'ws'
import type { History } from '../history.ts'
import { aboutOf, steadyMs } from '../live-history.ts'

export interface SocketOwner {
  readonly device: string
  readonly user: string
  readonly session: string
}

export interface SocketRecorder {
  /** What the client of this device makes its sockets of. */
  socketsOf(owner: SocketOwner): SocketConstructor
  /** Something is wrong with the socket that has this port: nothing is to be expected of it from now on. */
  disturb(clientPort: number): void
  /** What this device has read by nodes of the version before, or may have been told by one again: `conversation/seq`. */
  readByFormer(device: string): ReadonlySet<string>
  /** What is open still is taken down. */
  close(): void
}

const isSignal = (event: Event): event is EventIn<'signal'> => down[event.event]?.delivery === 'signal'

interface Recording {
  readonly id: number
  readonly raw: WebSocket
  readonly sends: Map<number, { readonly atMs: number; readonly conversation: string }>
  greeted: boolean
  isFormer: boolean
  ended: boolean
}

/** @param nodeOf the gateway behind a URL */
export function createSocketRecorder(history: History, nodeOf: (url: string) => string): SocketRecorder {
  const recordings = new Set<Recording>()
  const byFormer = new Map<string, Set<string>>()
  /** Sends that a node of the version before has answered: it tells repetitions again, to everybody, as it reads them. */
  const againByFormer = new Set<string>()
  let count = 0

  function takeEntry(socket: number, entry: Entry, how: 'live' | 'asked') {
    const { conversation, seq } = entry
    history.live({ kind: 'delivered', socket, conversation, seq, how, atMs: steadyMs() })
  }

  function takeReply(one: Recording, device: string, reply: Reply) {
    const sent = one.sends.get(reply.id)
    if (sent !== undefined) {
      one.sends.delete(reply.id)
      const { seq } = ('ok' in reply ? reply.ok : {}) as { readonly seq?: number }
      if (one.isFormer && seq !== undefined) againByFormer.add(`${sent.conversation}/${seq}`)
      history.live({ kind: 'send', socket: one.id, atMs: sent.atMs, answeredMs: steadyMs() })
    }
    if (!('ok' in reply)) return
    const { entries = [], verdicts = [] } = reply.ok as {
      entries?: Entry[]
      verdicts?: { entries?: Entry[] }[]
    }
    for (const entry of [...entries, ...verdicts.flatMap(verdict => verdict.entries ?? [])]) {
      takeEntry(one.id, entry, 'asked')
      if (!one.isFormer) continue
      const places = byFormer.get(device) ?? new Set()
      byFormer.set(device, places.add(`${entry.conversation}/${entry.seq}`))
    }
  }

  function takeFrame(one: Recording, { device, user, session }: SocketOwner, url: string, text: string) {
    const frame = JSON.parse(text) as Event | Reply
    const atMs = steadyMs()
    if (!('event' in frame)) takeReply(one, device, frame)
    else if (frame.event === 'hello') {
      one.greeted = true
      // Nodes name it since after that version.
      one.isFormer = frame.refreshPauseMs === undefined
      history.live({ kind: 'greeted', socket: one.id, device, user, session, node: nodeOf(url), atMs })
    } else if (!one.greeted) history.live({ kind: 'early', device, node: nodeOf(url), event: frame.event, atMs })
    else if (frame.event === 'typing.start' || frame.event === 'typing.stop')
      history.live({ kind: 'typing', socket: one.id, conversation: frame.conversation, user: frame.user, atMs })
    else if ('seq' in frame && 'epoch' in frame) takeEntry(one.id, frame, 'live')
    else if (isSignal(frame))
      history.live({ kind: 'signal', socket: one.id, event: frame.event, about: aboutOf(frame), atMs })
  }

  function end(one: Recording) {
    if (one.ended) return
    one.ended = true
    recordings.delete(one)
    if (!one.greeted) return
    for (const { atMs } of one.sends.values()) history.live({ kind: 'send', socket: one.id, atMs })
    history.live({ kind: 'ended', socket: one.id, atMs: steadyMs() })
  }

  return {
    socketsOf: owner =>
      class RecordedSocket implements Socket {
        readonly #one: Recording

        constructor(url: string) {
          const raw = new WebSocket(url, { perMessageDeflate: false })
          this.#one = { id: ++count, raw, sends: new Map(), greeted: false, isFormer: false, ended: false }
          recordings.add(this.#one)
          raw.on('message', (data: Buffer) => {
            for (const line of data.toString().split('\n')) takeFrame(this.#one, owner, url, line)
          })
          raw.on('close', () => end(this.#one))
          raw.on('error', () => {})
        }

        send(text: string): void {
          const { id, op, conversation = '' } = JSON.parse(text) as { id?: number; op: Op; conversation?: string }
          if (op === 'message.send' && id !== undefined) this.#one.sends.set(id, { atMs: steadyMs(), conversation })
          this.#one.raw.send(text)
        }

        /** The SDK hears nothing any more from here on, so neither does the record; the network may take its time. */
        close(code?: number, reason?: string): void {
          end(this.#one)
          this.#one.raw.close(code, reason)
        }

        addEventListener(type: 'open' | 'message' | 'close' | 'error', listener: (event: SocketEvent) => void): void {
          this.#one.raw.addEventListener(type as 'message', listener)
        }
      },
    disturb(clientPort) {
      for (const one of recordings) {
        const { _socket: net } = one.raw as unknown as { _socket?: NetSocket }
        if (net?.localPort === clientPort)
          history.live({
            kind: 'away',
            what: `socket ${one.id}`,
            fromMs: steadyMs(),
            toMs: Number.POSITIVE_INFINITY,
          })
      }
    },
    readByFormer: device => new Set([...(byFormer.get(device) ?? []), ...againByFormer]),
    close() {
      for (const one of recordings) end(one)
    },
  }
}
