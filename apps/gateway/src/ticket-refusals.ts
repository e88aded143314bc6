/**
 * Tickets that are refused, for the log: the first at once, then once in a while how many there were. One that expired on
 * its way is nothing; many are a clock that is off, or keys that are not those of the API.
 */
import type { Logger, TicketFault } from '@flotilla/service'

const sayMs = 60_000

export interface TicketRefusals {
  note(fault: TicketFault): void
  stop(): void
}

export function createTicketRefusals(logger: Logger, clockSkewMs: () => number): TicketRefusals {
  const none = { forged: 0, expired: 0, early: 0 }
  let counts = { ...none }
  let timer: NodeJS.Timeout | undefined

  function say() {
    timer = undefined
    if (Object.values(counts).every(count => count === 0)) return
    logger.warn({ ...counts, clockSkewMs: clockSkewMs() }, 'tickets refused')
    counts = { ...none }
    timer = setTimeout(say, sayMs)
    timer.unref()
  }

  return {
    note(fault) {
      counts[fault]++
      if (timer === undefined) say()
    },
    stop: () => clearTimeout(timer),
  }
}
