/** People who read: each connection asks for pages of conversations at random, one after the other. */
import { Histogram } from '@flotilla/testing/load'
import { idOf } from '../ids.ts'
import { FlotillaMessenger } from './flotilla-messenger.ts'
import { connectAll, type Fleet, keepPinging, keysOf } from './messengers.ts'

export interface PagesPlan {
  readonly fleet: Fleet
  readonly readers: number
  /** In each conversation, and asked for at once. */
  readonly entries: number
}

export interface PageCounts {
  readonly seconds: number
  readonly pages: number
  readonly entries: number
  /** Connections that were closed, and what the server refused, since the beginning. */
  readonly closed: number
  readonly refused: number
  readonly readMs: string
}

export class Pages {
  private readonly plan: PagesPlan
  private readonly messengers: readonly FlotillaMessenger[]
  private closed = 0
  private refused = 0

  constructor(plan: PagesPlan) {
    this.plan = plan
    const { fleet, readers } = plan
    const keys = keysOf(fleet.ticketKeys)
    const events = {
      acked: () => {},
      received: () => {},
      refused: () => void this.refused++,
      closed: () => void this.closed++,
    }
    this.messengers = Array.from({ length: readers }, (_, at) => {
      const address = fleet.nodes[at % fleet.nodes.length]!
      return new FlotillaMessenger(address, keys, { number: at * 2 }, events)
    })
  }

  async connect(): Promise<void> {
    await connectAll(this.messengers.length, 50, at => this.messengers[at]!.connect())
    keepPinging(this.messengers)
  }

  /** The latest entries, so many readers at a time, each in its turn. */
  async read(seconds: number, atOnce: number): Promise<PageCounts> {
    const readMs = new Histogram()
    const startedAt = performance.now()
    let pages = 0
    let entries = 0
    let next = 0
    const reader = async () => {
      while (performance.now() - startedAt < seconds * 1_000) {
        const at = next++ % this.messengers.length
        const began = performance.now()
        const page = await this.messengers[at]!.history(idOf('direct', at), { limit: this.plan.entries })
        readMs.record(performance.now() - began)
        pages++
        entries += page.entries.length
      }
    }
    await Promise.all(Array.from({ length: atOnce }, reader))
    const { closed, refused } = this
    const took = (performance.now() - startedAt) / 1_000
    return { seconds: took, pages, entries, closed, refused, readMs: readMs.encoded() }
  }
}
