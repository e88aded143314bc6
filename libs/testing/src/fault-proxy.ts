/**
 * A TCP proxy that misbehaves on demand: between clients and a node, a node and Redis, a node and PostgreSQL. Bytes pass
 * in order; what is late, cut or swallowed is said by the test. A setting without `which` is for every connection, also
 * of the future.
 */
import { connect, createServer, type Server, type Socket } from 'node:net'
import { createLane, type Direction, type Lane, type LaneSettings } from './fault-lane.ts'
import { freePort } from './processes.ts'

export interface ProxiedConnection {
  /** 0 is the first that the proxy has taken. */
  readonly index: number
  /** The port of the client's end. */
  readonly clientPort: number
  readonly open: boolean
  /** Bytes that were passed on. */
  readonly bytesUp: number
  readonly bytesDown: number
  /** Bytes of both directions that went nowhere. */
  readonly bytesSwallowed: number
}

/** One connection by its index, or those for which it answers true; all if it is left out. */
export type Which = number | ((connection: ProxiedConnection) => boolean)

export interface Shape {
  readonly latencyMs?: number
  /** A random time up to this is added to the latency; bytes still arrive in order. */
  readonly jitterMs?: number
  /** 0 is no limit. */
  readonly bandwidthBytesPerSecond?: number
}

export interface Trap {
  /** `up` is from the client to the target. */
  readonly direction: Direction
  /**
   * When it springs: after so many more bytes of one connection, exactly; or when a pattern comes by: then nothing of the
   * chunk that completes it passes, from the pattern's beginning. What a WebSocket client sends is masked: no pattern
   * matches it.
   */
  readonly when: { readonly bytes: number } | { readonly pattern: string | Buffer }
  /** What happens then; `swallow` leaves the connection open and passes nothing more in this direction. */
  readonly action: 'cut' | 'reset' | 'swallow'
  readonly which?: Which
  /** Takes the trap away again; then its promise never resolves. */
  readonly signal?: AbortSignal
}

export interface FaultProxy {
  readonly host: string
  readonly port: number
  set(shape: Shape, which?: Which): void
  /** Ends the present connections on both sides, in an orderly way (FIN); what was under way is lost. */
  cut(which?: Which): void
  /** Breaks the present connections on both sides off (RST). */
  reset(which?: Which): void
  /** Swallows what comes, silently, with the ends of streams; a connection that lost bytes is good for nothing but an end. */
  halfOpen(on: boolean, options?: { readonly direction?: Direction; readonly which?: Which }): void
  /** Delivers in pieces of so many bytes, each in a turn of its own; 0 is as it comes. */
  slice(bytes: number, which?: Which): void
  /** New connections are refused, as if nobody listened; present ones stay. */
  refuse(on: boolean): Promise<void>
  /** Sets a trap for the first connection that walks into it. Resolves when it has sprung. */
  trap(trap: Trap): Promise<ProxiedConnection>
  /** Every connection so far, also the closed ones. */
  connections(): readonly ProxiedConnection[]
  close(): Promise<void>
}

export interface FaultProxyOptions {
  /** Read anew for each connection: when it is changed, new ones go elsewhere, and present ones stay. */
  readonly target: { readonly host: string; readonly port: number }
  /** A free one is chosen if it is left out. */
  readonly port?: number
  /** For the jitter; 0 up to 1. */
  readonly random?: () => number
}

interface Link {
  readonly index: number
  readonly clientPort: number
  readonly client: Socket
  readonly target: Socket
  readonly lanes: Readonly<Record<Direction, Lane>>
  open: boolean
}

interface ArmedTrap extends Trap {
  sprung(connection: ProxiedConnection): void
}

const host = '127.0.0.1'

/** Starts a proxy on the loopback. */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const random = options.random ?? Math.random
  const defaults: Record<Direction, LaneSettings> = { up: plain(), down: plain() }
  const links: Link[] = []
  const traps = new Set<ArmedTrap>()

  const view = (link: Link): ProxiedConnection => ({
    index: link.index,
    clientPort: link.clientPort,
    open: link.open,
    bytesUp: link.lanes.up.passed(),
    bytesDown: link.lanes.down.passed(),
    bytesSwallowed: link.lanes.up.swallowed() + link.lanes.down.swallowed(),
  })
  const fits = (link: Link, which: Which | undefined) =>
    which === undefined || (typeof which === 'number' ? link.index === which : which(view(link)))
  const chosen = (which: Which | undefined) => links.filter(link => link.open && fits(link, which))
  const change = (which: Which | undefined, directions: readonly Direction[], settings: Partial<LaneSettings>) => {
    for (const direction of directions) {
      if (which === undefined) Object.assign(defaults[direction], settings)
      for (const link of chosen(which)) Object.assign(link.lanes[direction].settings, settings)
    }
  }

  /** Asked by a lane for every chunk: how many of its bytes may still pass, if a trap springs in it. */
  function inspect(
    link: Link,
    direction: Direction,
    chunk: Buffer,
  ): { readonly pass: number; readonly spring: () => void } | undefined {
    for (const trap of traps) {
      if (trap.direction !== direction || !fits(link, trap.which)) continue
      const pass = link.lanes[direction].search(trap, trap.when, chunk)
      if (pass === undefined) continue
      traps.delete(trap)
      const spring = () => {
        if (trap.action === 'cut') cutLink(link)
        else if (trap.action === 'reset') resetLink(link)
        else link.lanes[direction].settings.swallow = true
        trap.sprung(view(link))
      }
      return { pass, spring }
    }
    return undefined
  }

  function accept(client: Socket): void {
    const target = connect({ ...options.target, allowHalfOpen: true, noDelay: true })
    const index = links.length
    const lane = (from: Socket, to: Socket, direction: Direction) =>
      createLane({
        from,
        to,
        random,
        settings: { ...defaults[direction] },
        inspect: chunk => inspect(link, direction, chunk),
      })
    const link: Link = {
      index,
      clientPort: client.remotePort ?? 0,
      client,
      target,
      lanes: { up: lane(client, target, 'up'), down: lane(target, client, 'down') },
      open: true,
    }
    links.push(link)
    for (const socket of [client, target]) {
      // One side broke off: the other must not go on waiting, unless the proxy plays dead.
      socket.on('error', () => {
        if (!link.lanes[socket === client ? 'up' : 'down'].settings.swallow) resetLink(link)
      })
      socket.on('close', () => {
        if (client.destroyed && target.destroyed) link.open = false
      })
    }
  }

  const server = createServer({ allowHalfOpen: true, noDelay: true }, accept)
  const port = options.port ?? (await freePort())
  await listen(server, port)

  return {
    host,
    port,
    set: (shape, which) => change(which, ['up', 'down'], shape),
    cut: which => chosen(which).forEach(cutLink),
    reset: which => chosen(which).forEach(resetLink),
    halfOpen: (on, { direction, which } = {}) =>
      change(which, direction === undefined ? ['up', 'down'] : [direction], { swallow: on }),
    slice: (bytes, which) => change(which, ['up', 'down'], { sliceBytes: bytes }),
    async refuse(on) {
      if (on === !server.listening) return
      if (on) server.close()
      else await listen(server, port)
    },
    trap: trap =>
      new Promise(resolve => {
        const armed = { ...trap, sprung: resolve }
        traps.add(armed)
        trap.signal?.addEventListener('abort', () => traps.delete(armed))
      }),
    connections: () => links.map(view),
    async close() {
      for (const link of links) resetLink(link)
      if (server.listening) await new Promise(resolve => server.close(resolve))
    },
  }
}

const plain = (): LaneSettings => ({
  latencyMs: 0,
  jitterMs: 0,
  bandwidthBytesPerSecond: 0,
  sliceBytes: 0,
  swallow: false,
})

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** Both sides hear an end; what they still send goes nowhere. */
function cutLink(link: Link): void {
  link.open = false
  for (const direction of ['up', 'down'] as const) link.lanes[direction].stop()
  for (const socket of [link.client, link.target]) {
    socket.end()
    socket.resume()
    socket.once('end', () => socket.destroy())
  }
}

function resetLink(link: Link): void {
  link.open = false
  for (const direction of ['up', 'down'] as const) link.lanes[direction].stop()
  for (const socket of [link.client, link.target]) if (!socket.destroyed) socket.resetAndDestroy()
}
