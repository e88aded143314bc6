/**
 * New gateways do not fill by themselves: sockets stay where they are. So one that holds far more than the mean of its
 * region gives some away, at a paced rate. Every gateway decides alone, from the same beats, and nobody is asked.
 */
import type { RoutingNode } from '@flotilla/routing'
import type { Logger } from '@flotilla/service'

export interface ShedSettings {
  /** A gateway begins this far above the mean; 0 turns it off. */
  readonly abovePercent: number
  /** Of its connections, just above that; farther above up to `hasteMax` times as many. */
  readonly percentPerSecond: number
  /** What one gateway takes, as an estimate of what the others take. */
  readonly connectsPerSecond: number
}

/** The region as this gateway sees it. */
export interface FleetLoad {
  /** Connections of a gateway on average, of those that take connections and this one. */
  readonly mean: number
  /** Gateways below the mean: where those who are shed go. */
  readonly takers: number
  /** Gateways so far above it that they shed, this one among them if it is. */
  readonly givers: number
  /** False while it cannot be judged: a beat is missing, or connections are on the move already. */
  readonly settled: boolean
}

type NodeView = ReturnType<RoutingNode['nodes']>[number]

export const shedLimits = {
  /** A fleet with fewer connections a gateway never sheds: there it is chance, and not worth anybody's reconnect. */
  connectionsMeanMin: 50,
  /** A beat that is older was missed: whose connections come next is not known. Two beats and their jitter. */
  beatAgeMsMax: 7_000,
  /** It must have been above for so long: a new gateway is known by its beats before clients can reach it. */
  aboveMsMin: 6_000,
  /**
   * More than by this share within `aboveMsMin` the mean does not rise while it sheds: those who come level the fleet by
   * themselves. After a cut of 10,000, 3 of the 200 whom it had spared were moved without it.
   */
  riseShareMax: 0.1,
  /** Once begun it goes on down to this share of the limit, so that it does not begin again for each newcomer. */
  untilShare: 0.25,
  /** From 3.5 times the mean to within a quarter of it: one and a half minutes instead of three and a half. */
  hasteMax: 3,
  /** Of what the emptier gateways together admit; the rest is for those who come by themselves. */
  admissionShare: 0.5,
  /** A connection that is younger is not shed, so that nobody is twice in a row. */
  connectionAgeMsMin: 30_000,
  /** Between two decisions; after a gap of three the process stood still, and what it knows is old. */
  decideMs: 1_000,
  /** Between two closes, so that a second's share does not leave at once. */
  tickMs: 100,
}

const meansMax = shedLimits.aboveMsMin / shedLimits.decideMs

/** Adds up what the beats tell. */
export function readLoad(
  own: { readonly id: string; readonly region: string; readonly connections: number },
  nodes: readonly NodeView[],
  abovePercent: number,
): FleetLoad {
  const others = nodes.filter(
    ({ node, state, info }) =>
      node !== own.id && state === 'live' && info.kind === 'gateway' && info.region === own.region,
  )
  const loads = [own.connections, ...others.filter(other => other.info.accepting).map(other => other.info.connections)]
  const mean = loads.reduce((sum, load) => sum + load, 0) / loads.length
  const limit = mean * (1 + abovePercent / 100)
  return {
    mean,
    takers: loads.filter(load => load < mean).length,
    // A full one does not accept, and gives all the same.
    givers: [own, ...others.map(other => other.info)].filter(({ connections }) => connections > limit).length,
    settled: others.every(other => other.beatAgeMs <= shedLimits.beatAgeMsMax && other.info.draining !== true),
  }
}

/**
 * Decides how many connections to give away. Asked once in `decideMs`.
 * @returns a function that answers with connections a second
 */
export function createShedding(settings: ShedSettings) {
  const limit = settings.abovePercent / 100
  let aboveSince: number | undefined
  let shedding = false
  let askedAt = Number.NEGATIVE_INFINITY
  /** The means that were seen within `aboveMsMin`, the oldest first. */
  let means: number[] = []

  return function perSecond(load: FleetLoad, connections: number, nowMs: number): number {
    const stoodStill = nowMs - askedAt > shedLimits.decideMs * 3
    askedAt = nowMs
    means = stoodStill ? [load.mean] : [...means.slice(-meansMax), load.mean]
    const rises = load.mean > means[0]! * (1 + shedLimits.riseShareMax)
    const above = connections / load.mean - 1
    // Those who are on their way are in nobody's count: the mean is a little low while it sheds.
    const tiny = load.mean < shedLimits.connectionsMeanMin * (shedding ? 0.9 : 1)
    if (
      limit === 0 ||
      !load.settled ||
      tiny ||
      rises ||
      stoodStill ||
      above <= (shedding ? limit * shedLimits.untilShare : limit)
    ) {
      shedding = false
      aboveSince = undefined
      return 0
    }
    aboveSince ??= nowMs
    shedding ||= nowMs - aboveSince >= shedLimits.aboveMsMin
    if (!shedding) return 0
    const haste = Math.min(shedLimits.hasteMax, Math.max(1, above / limit))
    const wanted = ((connections * settings.percentPerSecond) / 100) * haste
    const admitted = load.takers * settings.connectsPerSecond * shedLimits.admissionShare
    return Math.min(wanted, admitted / Math.max(1, load.givers), connections - load.mean)
  }
}

/** As much of a connection as decides whether it may be shed. */
export interface Sheddable {
  readonly open: boolean
  /** Something is under way on it: a command, or frames that the client has not read yet. */
  readonly busy: boolean
  /** When it was greeted; 0 before. */
  readonly since: number
}

/**
 * The connections to shed: the oldest that are at rest. Not those that say least: then the new gateways would get the
 * silent ones and the old ones would keep the work.
 * @param connections in the order in which they came
 */
export function pickToShed<T extends Sheddable>(connections: Iterable<T>, count: number, nowMs: number): T[] {
  const picked: T[] = []
  for (const connection of connections) {
    if (picked.length >= count) break
    const { open, busy, since } = connection
    if (open && !busy && since > 0 && nowMs - since >= shedLimits.connectionAgeMsMin) picked.push(connection)
  }
  return picked
}

export interface Shedder {
  load(): FleetLoad
  /** To be called every `tickMs`. */
  tick(): void
}

/** Closes as many connections as are decided, evenly within each second. */
export function createShedder<T extends Sheddable>(options: {
  readonly settings: ShedSettings
  own(): Parameters<typeof readLoad>[0]
  nodes(): readonly NodeView[]
  /** Whether nothing may be shed now: it drains, or what is known of the others is old. */
  isHeld(): boolean
  /** In the order in which they came. */
  connections(): Iterable<T>
  shed(connection: T): void
  readonly logger: Logger
  readonly steady: () => number
}): Shedder {
  const { settings, logger } = options
  const decide = createShedding(settings)
  let perSecond = 0
  let owed = 0
  let decidedAt = Number.NEGATIVE_INFINITY
  const load = () => readLoad(options.own(), options.nodes(), settings.abovePercent)

  function decideAnew(now: number) {
    const before = perSecond
    const seen = load()
    const { connections } = options.own()
    perSecond = decide({ ...seen, settled: seen.settled && !options.isHeld() }, connections, now)
    if (perSecond > 0 === before > 0) return
    if (perSecond > 0) logger.info({ connections, ...seen }, 'shedding started')
    else logger.info({ connections, ...seen }, 'shedding stopped')
  }

  return {
    load,
    tick() {
      const now = options.steady()
      if (now - decidedAt >= shedLimits.decideMs) {
        decidedAt = now
        decideAnew(now)
      }
      // Whoever could not be shed now is not owed later.
      owed = Math.min(owed + (perSecond * shedLimits.tickMs) / 1_000, Math.max(1, perSecond))
      const due = Math.floor(owed)
      if (due === 0) return
      owed -= due
      for (const connection of pickToShed(options.connections(), due, now)) options.shed(connection)
    },
  }
}
