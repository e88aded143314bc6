/**
 * Who is here and who is away: when clients lose their connection, when they are live again, and on which node. One
 * process of a load counts; `sumComings` adds several up.
 */
import { Histogram } from '@flotilla/testing/load'

/** Times are kept in steps of this length, so that a second may begin anywhere. */
const stepMs = 100
const stepsPerSecond = 1_000 / stepMs

/** Counts by step: the number of a step is the time in milliseconds since 1970, divided by its length. */
export type Steps = ReadonlyMap<number, number>

/** What one process counted since its mark, as it travels. */
export interface ComingsCounts {
  readonly clients: number
  /** From the loss of a connection until the client was live again, in a histogram of milliseconds. */
  readonly gapMs: string
  /** The longest gap, those counted that have not ended. */
  readonly gapMsMax: number
  /** Connections lost. */
  readonly leaves: Steps
  /** Clients live again, by the node that greeted them. */
  readonly returns: ReadonlyMap<string, Steps>
  /** Clients that wait to come back now. */
  readonly away: number
  /** Clients that will not come back by themselves, and why. */
  readonly lost: readonly string[]
  /** Live clients by node. */
  readonly nodes: ReadonlyMap<string, number>
}

interface Client {
  node: string | undefined
  /** When it lost its connection, by performance.now(). */
  leftAt: number | undefined
}

export class Comings {
  readonly #clients: Client[]
  readonly #nowMs: () => number
  #gaps = new Histogram()
  #gapMsMax = 0
  #leaves = new Map<number, number>()
  #returns = new Map<string, Map<number, number>>()
  readonly #lost: string[] = []

  constructor(clients: number, nowMs: () => number = () => performance.timeOrigin + performance.now()) {
    this.#clients = Array.from({ length: clients }, () => ({ node: undefined, leftAt: undefined }))
    this.#nowMs = nowMs
  }

  live(nth: number, node: string): void {
    const client = this.#clients[nth]!
    const nowMs = this.#nowMs()
    if (client.leftAt !== undefined) {
      const gapMs = nowMs - client.leftAt
      this.#gaps.record(gapMs)
      this.#gapMsMax = Math.max(this.#gapMsMax, gapMs)
      const steps = this.#returns.get(node) ?? new Map<number, number>()
      this.#returns.set(node, steps)
      count(steps, nowMs)
    }
    client.leftAt = undefined
    client.node = node
  }

  left(nth: number): void {
    const client = this.#clients[nth]!
    if (client.node === undefined) return
    client.node = undefined
    client.leftAt = this.#nowMs()
    count(this.#leaves, client.leftAt)
  }

  /** It went because it was told to: that is no gap. */
  dismissed(nth: number): void {
    this.#clients[nth] = { node: undefined, leftAt: undefined }
  }

  /** It will not come back. */
  lost(what: string): void {
    this.#lost.push(what)
  }

  /** Counts from now on. */
  mark(): void {
    this.#gaps = new Histogram()
    this.#gapMsMax = 0
    this.#leaves = new Map()
    this.#returns = new Map()
  }

  nodes(): Map<string, number> {
    const nodes = new Map<string, number>()
    for (const { node } of this.#clients) if (node !== undefined) nodes.set(node, (nodes.get(node) ?? 0) + 1)
    return nodes
  }

  counts(): ComingsCounts {
    const away = this.#clients.filter(client => client.leftAt !== undefined)
    const nowMs = this.#nowMs()
    const nodes = this.nodes()
    return {
      clients: away.length + total(nodes),
      gapMs: this.#gaps.encoded(),
      gapMsMax: away.reduce((max, client) => Math.max(max, nowMs - client.leftAt!), this.#gapMsMax),
      leaves: this.#leaves,
      returns: this.#returns,
      away: away.length,
      lost: this.#lost,
      nodes,
    }
  }
}

function count(steps: Map<number, number>, nowMs: number): void {
  const step = Math.floor(nowMs / stepMs)
  steps.set(step, (steps.get(step) ?? 0) + 1)
}

const total = (counts: ReadonlyMap<string, number>) => [...counts.values()].reduce((sum, one) => sum + one, 0)

/** What several processes counted, as if it had been one. */
export function sumComings(parts: readonly ComingsCounts[]): ComingsCounts {
  const names = new Set(parts.flatMap(part => [...part.returns.keys()]))
  return {
    clients: parts.reduce((sum, part) => sum + part.clients, 0),
    gapMs: new Histogram(...parts.map(part => part.gapMs)).encoded(),
    gapMsMax: Math.max(0, ...parts.map(part => part.gapMsMax)),
    leaves: sumMaps(parts.map(part => part.leaves)),
    returns: new Map([...names].map(name => [name, sumMaps(parts.map(part => part.returns.get(name) ?? new Map()))])),
    away: parts.reduce((sum, part) => sum + part.away, 0),
    lost: parts.flatMap(part => part.lost),
    nodes: sumMaps(parts.map(part => part.nodes)),
  }
}

export function sumMaps<K>(parts: readonly ReadonlyMap<K, number>[]): Map<K, number> {
  const sum = new Map<K, number>()
  for (const part of parts) for (const [key, counted] of part) sum.set(key, (sum.get(key) ?? 0) + counted)
  return sum
}

/** The most that was counted in any second. */
export function mostInASecond(steps: Steps): number {
  let most = 0
  for (const start of steps.keys()) {
    let sum = 0
    for (let step = start; step < start + stepsPerSecond; step++) sum += steps.get(step) ?? 0
    most = Math.max(most, sum)
  }
  return most
}

/**
 * By how much a node took more than a bucket of this rate lets through, which gives a second's worth at once and then
 * so many a second. Greetings come after the admission, so that they can only lie closer together for a short time:
 * what counts is the sum since the first of them.
 */
export function aboveRate(steps: Steps, perSecond: number): number {
  const first = Math.min(...steps.keys())
  let sum = 0
  let above = 0
  for (const step of [...steps.keys()].sort((a, b) => a - b)) {
    sum += steps.get(step)!
    const seconds = ((step + 1 - first) * stepMs) / 1_000
    above = Math.max(above, sum - perSecond * (1 + seconds))
  }
  return above
}

/** How far the fullest and the emptiest node are from the mean: 0.25 is a quarter of it. */
export function spreadAroundMean(connections: readonly number[]): number {
  const mean = connections.reduce((sum, one) => sum + one, 0) / connections.length
  if (!(mean > 0)) return 0
  return Math.max(...connections.map(one => Math.abs(one - mean) / mean))
}
