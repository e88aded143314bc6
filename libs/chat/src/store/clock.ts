/**
 * What time it is: what the store says, in every process. The store is asked with each pulse, and from its answer on time
 * is counted by the monotonic clock. So whatever is compared between machines (tickets, access tokens, codes of an
 * authenticator app, when somebody was here) is compared by one clock, to within a round trip, however wrong the clocks
 * of the machines are; and while the store is away it goes on evenly. How far this machine's own clock is off is told:
 * logs, certificates and other people's services still go by it.
 */
import type { ChatLogger } from '../ports.ts'

export interface StoreClock {
  /** Milliseconds since 1970-01-01 UTC. It may jump, when the store's clock was set or another store took over. */
  now(): number
  /** How far the clock of this machine is ahead of the store's; negative when it is behind. */
  skewMs(): number
  /**
   * Takes what the store's clock said.
   * @param askedAt by `steady`
   */
  heard(storeMs: number, askedAt: number): void
}

export interface StoreClockOptions {
  readonly logger: ChatLogger
  /** The clock of this machine, which may be wrong and may be set. */
  readonly wall?: () => number
  readonly steady?: () => number
}

/** A machine that is farther off than this is told of in the log, and told of again when it has moved by as much. */
export const skewSaidMs = 1_000

/** So much a monotonic clock and the store's may run apart: crystals do by a tenth of this, a clock that is slewed by half. */
const driftShare = 1e-3

export function createStoreClock(options: StoreClockOptions): StoreClock {
  const { logger, wall = () => Date.now(), steady = () => performance.now() } = options
  // Until the store has answered there is only our own.
  let base = { offset: wall() - steady(), errorMs: Number.POSITIVE_INFINITY, at: steady() }
  let saidMs = 0

  const now = () => Math.round(base.offset + steady())
  const skewMs = () => wall() - now()

  function saySkew() {
    const skew = skewMs()
    if (Math.abs(skew - saidMs) < skewSaidMs) return
    saidMs = skew
    if (Math.abs(skew) >= skewSaidMs) logger.warn({ skewMs: skew }, 'clock differs from that of postgres')
    else logger.info({ skewMs: skew }, 'clock agrees with that of postgres again')
  }

  return {
    now,
    skewMs,
    heard(storeMs, askedAt) {
      const at = steady()
      const errorMs = (at - askedAt) / 2
      const offset = storeMs - askedAt - errorMs
      const heldErrorMs = base.errorMs + (at - base.at) * driftShare
      // The closer answer wins. One that contradicts what is held does too: a clock was set, or this machine slept.
      if (errorMs <= heldErrorMs || Math.abs(offset - base.offset) > errorMs + heldErrorMs)
        base = { offset, errorMs, at }
      saySkew()
    },
  }
}
