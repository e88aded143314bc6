/** A part of a load: some thousand people with the real SDK, in a process of their own. */
import type { Client, SocketConstructor } from '@flotilla/sdk'
import {
  atRate,
  createTalkers,
  createTokenSigner,
  Histogram,
  History,
  type HistoryFile,
  type Person,
  type Talkers,
  type TokenSettings,
  writeHistory,
} from '@flotilla/testing/load'
import { Comings, type ComingsCounts } from './comings.ts'
import { type Line, openLine } from './line.ts'

/** How people find the deployment. */
export interface Way {
  /** Where the API is: `http://edge.example`. */
  readonly api: string
  /** How access tokens are signed; without it a token is `user session`, for tests without an API. */
  readonly tokens?: TokenSettings
  /** Whether each client names an address of its own in X-Forwarded-For, as a trusted proxy in front would. */
  readonly forwarded?: boolean
}

export interface PeoplePlan {
  readonly people: readonly Person[]
  readonly way: Way
  /** The number of the first of them within the whole load. */
  readonly first: number
  readonly historyPath: string
}

/** What was counted since the mark. */
export interface PeopleCounts {
  readonly comings: ComingsCounts
  /** From the send to its acknowledgement, in a histogram of milliseconds. */
  readonly ackMs: string
  readonly acknowledged: number
  /** How much of a core this process used: near 1 it measures itself. */
  readonly loadShare: number
}

const liveWithinMs = 120_000

export class PeopleProgram {
  readonly #talkers: Talkers
  readonly #lines: (Line | undefined)[]
  /** The node that greeted each of them last. */
  readonly #greetedBy: string[]
  readonly #comings: Comings
  readonly #file: HistoryFile
  readonly #started = new Set<number>()
  #ackMs = new Histogram()
  #markedAt = performance.now()
  #usage = process.cpuUsage()
  #hush: () => void = () => {}
  #endCuts: () => void = () => {}

  constructor({ people, way, first, historyPath }: PeoplePlan) {
    this.#file = writeHistory(historyPath)
    this.#comings = new Comings(people.length)
    this.#lines = people.map(() => undefined)
    this.#greetedBy = people.map(() => '')
    const sign = way.tokens === undefined ? undefined : createTokenSigner(way.tokens)
    this.#talkers = createTalkers({
      people,
      history: new History(this.#file.take),
      acknowledged: ms => this.#ackMs.record(ms),
      client: nth => {
        const person = people[nth]!
        const headers: Record<string, string> = way.forwarded ? { 'x-forwarded-for': addressOf(first + nth) } : {}
        return {
          api: way.api,
          getToken: () => Promise.resolve(sign?.(person) ?? `${person.user} ${person.session}`),
          fetch: (url, init) => fetch(url, { ...init, headers: { ...init.headers, ...headers } }),
          WebSocket: this.#lineOf(nth, headers),
        }
      },
    })
    for (const [nth, client] of this.#talkers.clients.entries()) this.#watch(client, nth, people[nth]!.device)
  }

  /** Connects those from one number up to another, so many a second. Resolves when all of them are live. */
  async connect(from: number, to: number, perSecond: number): Promise<void> {
    const clients = this.#talkers.clients.slice(from, to)
    const startedAt = performance.now()
    for (const [nth, client] of clients.entries()) {
      const waitMs = startedAt + (nth * 1_000) / perSecond - performance.now()
      if (waitMs > 0) await new Promise(resolve => setTimeout(resolve, waitMs))
      await client.start()
      this.#started.add(from + nth)
    }
    const deadline = performance.now() + liveWithinMs
    for (;;) {
      const missing = clients.filter(client => client.state.name !== 'live')
      if (missing.length === 0) return
      if (performance.now() > deadline)
        throw new Error(
          `${missing.length} of ${clients.length} are not live, such as ${JSON.stringify(missing[0]!.state)}`,
        )
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }

  /** Those from one number up to another go home, so many a second. */
  async leave(from: number, to: number, perSecond: number): Promise<void> {
    for (let nth = from; nth < to; nth++) {
      this.#started.delete(nth)
      this.#comings.dismissed(nth)
      await this.#talkers.clients[nth]!.stop()
      await new Promise(resolve => setTimeout(resolve, 1_000 / perSecond))
    }
  }

  talk(messagesPerSecond: number): void {
    const here = [...this.#started]
    this.#hush()
    this.#hush = this.#talkers.talk(messagesPerSecond, () => here[Math.floor(Math.random() * here.length)]!)
  }

  hush(): void {
    this.#hush()
  }

  mark(): void {
    this.#comings.mark()
    this.#ackMs = new Histogram()
    this.#markedAt = performance.now()
    this.#usage = process.cpuUsage()
  }

  counts(): PeopleCounts {
    const { user, system } = process.cpuUsage(this.#usage)
    return {
      comings: this.#comings.counts(),
      ackMs: this.#ackMs.encoded(),
      acknowledged: this.#ackMs.total,
      loadShare: (user + system) / 1_000 / (performance.now() - this.#markedAt),
    }
  }

  nodes(): Map<string, number> {
    return this.#comings.nodes()
  }

  /** All connections break off at this moment. */
  cut(): void {
    for (const line of this.#lines) line?.cut()
  }

  /** From now on breaks single connections off, so many a second. */
  cutSome(perSecond: number): void {
    this.#endCuts()
    this.#endCuts = atRate(perSecond, () => this.#lines[Math.floor(Math.random() * this.#lines.length)]?.cut())
  }

  unanswered(): number {
    return this.#talkers.unanswered()
  }

  behind(heads: ReadonlyMap<string, number>): string[] {
    return this.#talkers.behind(heads)
  }

  /** Ends the history, while everybody is connected: it is judged by what they have by now. */
  async closeHistory(): Promise<void> {
    await this.#file.close()
  }

  /** Everybody goes home. */
  async finish(): Promise<void> {
    this.#hush()
    this.#endCuts()
    for (const nth of this.#started) this.#comings.dismissed(nth)
    await Promise.all(this.#talkers.clients.map(client => client.stop()))
  }

  #lineOf(nth: number, headers: Readonly<Record<string, string>>): SocketConstructor {
    const open = (url: string) => {
      const line = openLine(url, { headers, greeted: node => void (this.#greetedBy[nth] = node) })
      this.#lines[nth] = line
      return line
    }
    // What a constructor answers is what `new` gives.
    return function (url: string) {
      return open(url)
    } as unknown as SocketConstructor
  }

  #watch(client: Client, nth: number, device: string): void {
    client.on('state', state => {
      if (state.name === 'live') this.#comings.live(nth, this.#greetedBy[nth]!)
      else if (state.name !== 'connecting') this.#comings.left(nth)
      if (state.name === 'stopped' && state.reason !== 'stopped') this.#comings.lost(`${device}: ${state.reason}`)
    })
  }
}

/** An address for each household of four; the networks for documentation would be too small. */
function addressOf(nth: number): string {
  const household = nth >> 2
  return `10.${64 + ((household >> 16) & 63)}.${(household >> 8) & 255}.${household & 255}`
}
