/**
 * Groups on a bad network. In each group one member writes at a steady rate and stays connected; every other one is cut
 * at regular times for a while. Everybody must be handed everything, once and in order.
 */
import { Histogram } from '@flotilla/testing/load'
import { idOf } from '../ids.ts'
import { noViolations } from './lane.ts'
import { type Messenger, writeStamp } from './messenger.ts'
import { connectAll, createMessenger, type Fleet, keysOf } from './messengers.ts'
import { type Held, SyncedClient } from './synced-client.ts'
import { type Ending, settle } from './window.ts'

export interface JitterPlan {
  readonly fleet: Fleet
  readonly groups: number
  readonly members: number
  readonly messagesPerSecond: number
  readonly cutEveryMs: number
  readonly offlineMs: number
  readonly textLength: number
}

export interface JitterCounts {
  readonly ending: Ending
  readonly cuts: number
  /** From the send until it was handed over, of messages that a resume or a page brought. */
  readonly replayMs: string
  /** Of those that came live. */
  readonly liveMs: string
  readonly wrong: readonly string[]
}

const policy = { baseMs: 500, maxMs: 30_000 }
const wrongMax = 10

interface Writer {
  readonly group: number
  messenger: Messenger
  sent: number
  acked: number
}

interface Reader {
  readonly group: number
  readonly client: SyncedClient
}

export class Jitter {
  private readonly plan: JitterPlan
  private readonly writers: Writer[] = []
  private readonly readers: Reader[] = []
  private readonly violations = noViolations()
  private readonly wrong: string[] = []
  private readonly replayMs = new Histogram()
  private readonly liveMs = new Histogram()
  private handed = 0
  private cuts = 0
  private flowing = false

  constructor(plan: JitterPlan) {
    this.plan = plan
  }

  async connect(): Promise<void> {
    const { groups, members } = this.plan
    await connectAll(groups * members, 50, async number => {
      const group = Math.floor(number / members)
      if (number % members === 0) await this.addWriter(number, group)
      else await this.addReader(number, group)
    })
  }

  /** Writes and cuts for so long, then lets everybody come back and waits until all is there. */
  async run(seconds: number): Promise<JitterCounts> {
    this.flowing = true
    const timers = this.writers.map(writer => this.keepWriting(writer))
    const cutting = this.readers.map(reader => this.keepCutting(reader))
    await new Promise(resolve => setTimeout(resolve, seconds * 1_000))
    this.flowing = false
    for (const timer of timers) clearInterval(timer)
    await Promise.all(cutting)
    const missing = () =>
      this.readers.reduce((sum, reader) => sum + this.headOf(reader.group) - reader.client.cursor, 0)
    const unacked = () => this.writers.reduce((sum, writer) => sum + writer.sent - writer.acked, 0)
    await settle(() => missing() + unacked())
    this.violations.lost = missing() + unacked()
    const sent = this.writers.reduce((sum, writer) => sum + writer.sent, 0)
    return {
      ending: { sent, acked: sent - unacked(), received: this.handed, violations: this.violations },
      cuts: this.cuts,
      replayMs: this.replayMs.encoded(),
      liveMs: this.liveMs.encoded(),
      wrong: this.wrong,
    }
  }

  private headOf(group: number): number {
    return this.writers.find(writer => writer.group === group)!.sent
  }

  private async addWriter(number: number, group: number): Promise<void> {
    const writer: Writer = { group, sent: 0, acked: 0, messenger: undefined as never }
    writer.messenger = createMessenger(
      this.plan.fleet,
      group,
      { number },
      {
        acked: (sent, seq) => {
          writer.acked++
          // The only one who writes there: the log is its messages and nothing else.
          if (seq !== sent) this.violations.misplaced++
        },
        received: () => {},
        refused: () => void this.violations.refused++,
        closed: () => void this.violations.closed++,
      },
    )
    this.writers.push(writer)
    await writer.messenger.connect()
  }

  private async addReader(number: number, group: number): Promise<void> {
    const { fleet } = this.plan
    const reader: Reader = {
      group,
      client: new SyncedClient({
        address: fleet.nodes[number % fleet.nodes.length]!,
        ticketKeys: keysOf(fleet.ticketKeys),
        number,
        conversation: idOf('group', group),
        policy,
        handed: entry => this.noteHanded(entry),
        onWrong: what => {
          if (this.wrong.length < wrongMax) this.wrong.push(what)
        },
      }),
    }
    this.readers.push(reader)
    await reader.client.comeOnline(0)
  }

  private noteHanded(entry: Held): void {
    this.handed++
    if (entry.seq !== entry.number) this.violations.misplaced++
    const histogram = entry.replayed ? this.replayMs : this.liveMs
    histogram.record(performance.now() - entry.sentAtMs)
  }

  private keepWriting(writer: Writer): NodeJS.Timeout {
    const target = { conversation: idOf('group', writer.group), user: undefined }
    return setInterval(() => {
      const number = ++writer.sent
      writer.messenger.send(target, number, writeStamp(0, number, performance.now(), this.plan.textLength))
    }, 1_000 / this.plan.messagesPerSecond)
  }

  private async keepCutting(reader: Reader): Promise<void> {
    const { cutEveryMs, offlineMs } = this.plan
    // Each at its own time, or all would be cut at once.
    await this.pause(Math.random() * (cutEveryMs - offlineMs))
    while (this.flowing) {
      this.cuts++
      reader.client.cut()
      await reader.client.comeOnline(offlineMs)
      await this.pause(cutEveryMs - offlineMs)
    }
  }

  /** Waits, but not beyond the end. */
  private async pause(ms: number): Promise<void> {
    const until = performance.now() + ms
    while (this.flowing && performance.now() < until)
      await new Promise(resolve => setTimeout(resolve, Math.min(100, until - performance.now())))
  }
}
