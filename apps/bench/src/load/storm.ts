/** Many clients who are cut at once and all come back: each resumes from its cursor before it counts as back. */
import { Histogram } from '@flotilla/testing/load'
import { idOf } from '../ids.ts'
import { FlotillaMessenger } from './flotilla-messenger.ts'
import { connectAll, type Fleet, keysOf } from './messengers.ts'
import { comeBack, type ReconnectPolicy } from './reconnecting.ts'

export interface StormPlan {
  readonly fleet: Fleet
  /** The number of the first person; an even one, so that pairs stay whole. */
  readonly first: number
  readonly clients: number
  readonly policy: ReconnectPolicy
}

export interface StormCounts {
  /** From the cut until the last one was back. */
  readonly seconds: number
  readonly backMs: string
  readonly attempts: number
  /** Clients whom resuming told something wrong: nothing was written to them. */
  readonly wrong: number
}

export class Storm {
  private readonly plan: StormPlan
  private readonly messengers: readonly FlotillaMessenger[]

  constructor(plan: StormPlan) {
    this.plan = plan
    const { fleet, first, clients } = plan
    const keys = keysOf(fleet.ticketKeys)
    const events = { acked: () => {}, received: () => {}, refused: () => {}, closed: () => {} }
    this.messengers = Array.from({ length: clients }, (_, at) => {
      const address = fleet.nodes[at % fleet.nodes.length]!
      return new FlotillaMessenger(address, keys, { number: first + at }, events)
    })
  }

  /** The nodes take so many a second here as well. */
  async connect(): Promise<void> {
    await connectAll(this.messengers.length, 50, async at => {
      await comeBack(this.messengers[at]!, this.plan.policy, 0)
    })
  }

  async cutAll(): Promise<StormCounts> {
    const startedAt = performance.now()
    const backMs = new Histogram()
    let attempts = 0
    let wrong = 0
    for (const messenger of this.messengers) messenger.cut()
    await Promise.all(
      this.messengers.map(async (messenger, at) => {
        const conversation = idOf('direct', (this.plan.first + at) >> 1)
        const took = await comeBack(messenger, this.plan.policy)
        attempts += took
        const { verdicts } = await messenger.resume([{ conversation, seq: 0 }])
        if (verdicts.length > 0) wrong++
        backMs.record(performance.now() - startedAt)
      }),
    )
    return { seconds: (performance.now() - startedAt) / 1_000, backMs: backMs.encoded(), attempts, wrong }
  }
}
