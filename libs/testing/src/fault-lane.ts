/** One direction of a proxied connection: bytes wait here for their time, in order, and push back when too many wait. */
import type { Socket } from 'node:net'

export type Direction = 'up' | 'down'

export interface LaneSettings {
  latencyMs: number
  jitterMs: number
  bandwidthBytesPerSecond: number
  sliceBytes: number
  swallow: boolean
}

export interface LaneOptions {
  readonly from: Socket
  readonly to: Socket
  readonly settings: LaneSettings
  readonly random: () => number
  /** Whether something is to happen in this chunk: after so many of its bytes. */
  inspect(chunk: Buffer): { readonly pass: number; readonly spring: () => void } | undefined
}

export interface Lane {
  /** May be changed at any time; it holds for what comes from then on. */
  readonly settings: LaneSettings
  /** Bytes that were passed on. */
  passed(): number
  /** Bytes that were swallowed. */
  swallowed(): number
  /** Looks for what a trap waits for, across the borders of chunks. Returns how many bytes of this chunk come before it. */
  search(trap: object, when: { bytes: number } | { pattern: string | Buffer }, chunk: Buffer): number | undefined
  /** Passes nothing more on. */
  stop(): void
}

/** With more than this waiting, the sender is not read any more and feels it, as behind a slow line. */
const waitingBytesMax = 65_536

interface Waiting {
  /** Missing: the end of the stream. */
  readonly piece?: Buffer
  /** By performance.now(). */
  readonly dueMs: number
  /** Called instead of passing anything on. */
  readonly spring?: () => void
}

export function createLane(options: LaneOptions): Lane {
  const { from, to, settings, random } = options
  const waiting: Waiting[] = []
  let waitingBytes = 0
  let passed = 0
  let swallowed = 0
  let lineFreeMs = 0
  let lastDueMs = 0
  let busy = false
  let stopped = false
  /** What each trap has seen so far. */
  const seen = new WeakMap<object, { bytes: number; tail: Buffer }>()

  /** When a piece arrives: the line takes its time to carry it, then it travels. Never before the piece ahead of it. */
  const dueOf = (bytes: number): number => {
    lineFreeMs = Math.max(lineFreeMs, performance.now())
    if (settings.bandwidthBytesPerSecond > 0) lineFreeMs += (bytes * 1_000) / settings.bandwidthBytesPerSecond
    lastDueMs = Math.max(lastDueMs, lineFreeMs + settings.latencyMs + random() * settings.jitterMs)
    return lastDueMs
  }
  const enqueue = (chunk: Buffer) => {
    const size = settings.sliceBytes > 0 ? settings.sliceBytes : pieceBytes(settings, chunk.length)
    for (let start = 0; start < chunk.length; start += size) {
      const piece = chunk.subarray(start, start + size)
      waiting.push({ piece, dueMs: dueOf(piece.length) })
      waitingBytes += piece.length
    }
  }
  from.on('data', (chunk: Buffer) => {
    if (stopped || settings.swallow) {
      swallowed += chunk.length
      return
    }
    const found = options.inspect(chunk)
    if (found === undefined) enqueue(chunk)
    else {
      enqueue(chunk.subarray(0, found.pass))
      swallowed += chunk.length - found.pass
      waiting.push({ dueMs: lastDueMs, spring: found.spring })
      // What comes behind the trap must not pass while the bytes before it are still on their way.
      stopped = true
    }
    if (waitingBytes > waitingBytesMax) from.pause()
    pump()
  })
  from.on('end', () => {
    if (stopped || settings.swallow) return
    waiting.push({ dueMs: dueOf(0) })
    pump()
  })

  /** Delivers what is due; one timer or one turn at a time for what is not. */
  function pump(): void {
    while (!busy) {
      const next = waiting[0]
      if (next === undefined) return
      const waitMs = next.dueMs - performance.now()
      if (waitMs > 0.5) later(resume => setTimeout(resume, waitMs))
      else if (settings.sliceBytes > 0) later(resume => setImmediate(resume))
      else deliver()
    }
  }
  function later(arrange: (resume: () => void) => void): void {
    busy = true
    arrange(() => {
      busy = false
      deliver()
      pump()
    })
  }
  function deliver(): void {
    const next = waiting.shift()
    if (next === undefined) return
    if (next.spring !== undefined) {
      stopped = false
      next.spring()
    } else if (next.piece === undefined) to.end()
    else {
      waitingBytes -= next.piece.length
      passed += next.piece.length
      if (!to.write(next.piece)) {
        busy = true
        to.once('drain', () => {
          busy = false
          pump()
        })
      }
      if (waitingBytes <= waitingBytesMax && from.isPaused()) from.resume()
    }
  }

  return {
    settings,
    passed: () => passed,
    swallowed: () => swallowed,
    search(trap, when, chunk) {
      const state = seen.get(trap) ?? { bytes: 0, tail: Buffer.alloc(0) }
      seen.set(trap, state)
      if ('bytes' in when) {
        const left = when.bytes - state.bytes
        state.bytes += chunk.length
        return left <= chunk.length ? left : undefined
      }
      const pattern = Buffer.from(when.pattern)
      const joined = Buffer.concat([state.tail, chunk])
      const at = joined.indexOf(pattern)
      if (at >= 0) return Math.max(0, at - state.tail.length)
      state.tail = joined.subarray(Math.max(0, joined.length - pattern.length + 1))
      return undefined
    },
    stop() {
      stopped = true
      waiting.length = 0
      waitingBytes = 0
    },
  }
}

/** On a slow line a large chunk arrives bit by bit, some fifty times a second. */
function pieceBytes(settings: LaneSettings, chunkBytes: number): number {
  if (settings.bandwidthBytesPerSecond === 0) return Math.max(1, chunkBytes)
  return Math.max(1, Math.ceil(settings.bandwidthBytesPerSecond / 50))
}
