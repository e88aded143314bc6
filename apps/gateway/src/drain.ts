/** How a drain is paced: evenly over its time, whatever the number and whatever stalls the loop meanwhile. */
import type { RoutingNode } from '@flotilla/routing'
import type { Logger } from '@flotilla/service'

/** A loop that stood still does not catch up at once: the rest is spread over what is left of the time. */
const tickShareMax = 4

/**
 * @param endsAt when the last one must be gone
 * @returns a function that answers how many more to move now, of so many that are left
 */
export function createPace(startedAt: number, endsAt: number, tickMs: number) {
  let askedAt = startedAt
  // The first leaves after half a share of the time, the last half a share before its end.
  let owed = 0.5

  return function due(left: number, nowMs: number): number {
    const remainingMs = endsAt - askedAt
    if (nowMs >= endsAt || remainingMs <= 0) return left
    owed += ((left - owed + 0.5) * Math.min(nowMs - askedAt, tickMs * tickShareMax)) / remainingMs
    askedAt = nowMs
    const whole = Math.min(left, Math.floor(owed))
    owed -= whole
    return whole
  }
}

/** The time of a drain is a promise to whoever waits for its end, so it is not stretched: see decision 0013. */
export function warnIfTooFast(options: {
  readonly own: { readonly id: string; readonly region: string; readonly connections: number }
  readonly nodes: ReturnType<RoutingNode['nodes']>
  readonly drainMs: number
  readonly connectsPerSecond: number
  readonly logger: Logger
}): void {
  const { own, drainMs } = options
  const others = options.nodes.filter(({ node, state, info }) => {
    return node !== own.id && state === 'live' && info.kind === 'gateway' && info.region === own.region
  })
  const leaving = others.filter(other => other.info.draining === true)
  const moving = leaving.reduce((sum, other) => sum + other.info.connections, own.connections)
  const movedPerSecond = Math.ceil((moving * 1_000) / Math.max(1_000, drainMs))
  const takers = others.filter(other => other.info.accepting).length
  const takenPerSecond = takers * options.connectsPerSecond
  if (takers > 0 && movedPerSecond > takenPerSecond)
    options.logger.warn(
      { movedPerSecond, takenPerSecond, drainMs, draining: leaving.length + 1 },
      'drain outpaces the other gateways; raise DRAIN_MS or drain fewer nodes at once',
    )
}
