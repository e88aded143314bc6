/**
 * A WebSocket client that costs as little as Node allows, so that the load does not measure itself. Frames are masked
 * with the key 0, which leaves the text as it is: the server unmasks them all the same. All sockets read into one
 * buffer, and what a socket sends in one turn of the loop goes out in one write. Text must be ASCII.
 */
import { connect, type Socket } from 'node:net'

export interface LeanSocketEvents {
  open(): void
  /** One text frame: bytes of `buffer`, which is used again after the call. */
  frame(buffer: Buffer, start: number, end: number): void
  /** Once, whoever ended it. 1006 when there was no close frame. */
  close(code: number, reason: string): void
}

export interface LeanSocketPlace {
  readonly host: string
  readonly port: number
  /** With its query. */
  readonly path: string
  /** The address to connect from: one address has ports for some 28,000 connections. */
  readonly from?: string
}

const readBuffer = Buffer.allocUnsafeSlow(256 * 1_024)
const nothing = Buffer.alloc(0)
const opcodes = { text: 1, close: 8, ping: 9, pong: 10 } as const
const noStatus = 1006

let dirty: LeanSocket[] = []
const flushAll = () => {
  const sockets = dirty
  dirty = []
  for (const socket of sockets) socket.flush()
}

export class LeanSocket {
  private readonly socket: Socket
  private readonly events: LeanSocketEvents
  private upgraded = false
  private closed = false
  /** The beginning of a frame whose rest has not come yet. */
  private rest: Buffer = nothing
  private queued: string[] = []
  private status = noStatus
  private reason = ''

  constructor(place: LeanSocketPlace, events: LeanSocketEvents) {
    this.events = events
    this.socket = connect({
      host: place.host,
      port: place.port,
      noDelay: true,
      ...(place.from === undefined ? {} : { localAddress: place.from }),
      onread: {
        buffer: readBuffer,
        callback: (bytes: number) => {
          this.read(readBuffer, bytes)
          return true
        },
      },
    })
    this.socket.write(
      `GET ${place.path} HTTP/1.1\r\nHost: ${place.host}:${place.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
      'latin1',
    )
    this.socket.on('error', error => this.end(noStatus, error.message))
    this.socket.on('close', () => this.end(this.status, this.reason))
  }

  get open(): boolean {
    return this.upgraded && !this.closed
  }

  /** Queues a text frame; it leaves at the end of this turn of the loop. */
  send(text: string): void {
    if (this.closed) return
    if (this.queued.length === 0) {
      if (dirty.length === 0) setImmediate(flushAll)
      dirty.push(this)
    }
    this.queued.push(text)
  }

  flush(): void {
    const { queued } = this
    this.queued = []
    if (this.closed || queued.length === 0) return
    let bytes = 0
    for (const text of queued) bytes += text.length + headBytes(text.length)
    const buffer = Buffer.allocUnsafe(bytes)
    let at = 0
    for (const text of queued) {
      at = writeHead(buffer, at, opcodes.text, text.length)
      at += buffer.write(text, at, 'latin1')
    }
    this.socket.write(buffer)
  }

  /** Cuts the connection without a word, as a network that fails. */
  cut(): void {
    this.socket.destroy()
    this.end(noStatus, 'cut')
  }

  private end(status: number, reason: string): void {
    if (this.closed) return
    this.closed = true
    this.socket.destroy()
    this.events.close(status, reason)
  }

  private read(chunk: Buffer, bytes: number): void {
    let buffer = chunk
    let end = bytes
    if (this.rest.length > 0) {
      buffer = Buffer.concat([this.rest, chunk.subarray(0, bytes)])
      end = buffer.length
      this.rest = nothing
    }
    const used = this.upgraded ? this.readFrames(buffer, 0, end) : this.readUpgrade(buffer, end)
    if (used < end && !this.closed) this.rest = Buffer.from(buffer.subarray(used, end))
  }

  private readUpgrade(buffer: Buffer, end: number): number {
    const head = buffer.toString('latin1', 0, end)
    const length = head.indexOf('\r\n\r\n') + 4
    if (length < 4) return 0
    if (!head.startsWith('HTTP/1.1 101')) {
      this.end(noStatus, head.slice(0, head.indexOf('\r\n')))
      return end
    }
    this.upgraded = true
    this.events.open()
    return this.readFrames(buffer, length, end)
  }

  /** @returns how far whole frames went */
  private readFrames(buffer: Buffer, start: number, end: number): number {
    let at = start
    while (end - at >= 2 && !this.closed) {
      const first = buffer[at]!
      let length = buffer[at + 1]!
      let from = at + 2
      if (length === 126) {
        if (end - at < 4) break
        length = buffer.readUInt16BE(from)
        from += 2
      } else if (length === 127) {
        if (end - at < 10) break
        length = Number(buffer.readBigUInt64BE(from))
        from += 8
      }
      if (from + length > end) break
      if ((first & 0x80) === 0) throw new Error('unable to read a frame: it is split, which no server here does')
      at = from + length
      if ((first & 0x0f) === opcodes.text) this.events.frame(buffer, from, at)
      else this.control(first & 0x0f, buffer, from, at)
    }
    return at
  }

  private control(opcode: number, buffer: Buffer, from: number, to: number): void {
    if (opcode === opcodes.ping) {
      const pong = Buffer.allocUnsafe(headBytes(to - from) + to - from)
      buffer.copy(pong, writeHead(pong, 0, opcodes.pong, to - from), from, to)
      this.socket.write(pong)
    } else if (opcode === opcodes.close) {
      this.status = to - from >= 2 ? buffer.readUInt16BE(from) : noStatus
      this.reason = buffer.toString('utf8', Math.min(from + 2, to), to)
      this.socket.end()
    }
  }
}

/** JSON as a text that may be sent: nothing but ASCII. */
export const asciiJson = (value: object): string =>
  JSON.stringify(value).replace(
    /[\u0080-\uffff]/g,
    letter => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

const headBytes = (length: number) => (length < 126 ? 6 : length < 65_536 ? 8 : 14)

/** The head of a frame from a client, with the masking key 0. @returns where the payload goes */
function writeHead(buffer: Buffer, start: number, opcode: number, length: number): number {
  let at = start
  buffer[at++] = 0x80 | opcode
  if (length < 126) buffer[at++] = 0x80 | length
  else if (length < 65_536) {
    buffer[at++] = 0x80 | 126
    at = buffer.writeUInt16BE(length, at)
  } else {
    buffer[at++] = 0x80 | 127
    at = buffer.writeBigUInt64BE(BigInt(length), at)
  }
  return buffer.writeUInt32BE(0, at)
}
