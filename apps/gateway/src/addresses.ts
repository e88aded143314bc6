/**
 * How many sockets one network address may open and have, over all gateways. It is asked before anything that all
 * addresses share, so that one of them cannot use that up. Thousands of people may stand behind one address, so the
 * limits are wide, and whoever is turned away is told when to come back, each at another time.
 */
import type { Budget, Budgets } from '@flotilla/routing'
import { type AddressHeader, callerNetworkOf, createCallerReader, type Logger } from '@flotilla/service'

export interface AddressSettings {
  /** In a minute. */
  readonly connectsPerAddressMax: number
  readonly socketsPerAddressMax: number
  readonly trustedProxies: readonly string[]
  readonly addressHeader: AddressHeader
}

export interface Addresses {
  /** Who calls: an IPv4 address, or an IPv6 network of 64 bits. */
  callerOf(peer: string, header: (name: string) => string): string
  /** Of one socket more. */
  judge(address: string): Verdict
  opened(address: string): void
  closed(address: string): void
}

export interface Verdict {
  /** 0 when it may open, otherwise when to come back. */
  readonly retryMs: number
  /** Whether to say so in a close, which browsers can read, although it costs an upgrade. */
  readonly isTold: boolean
}

const minuteS = 60
const welcome: Verdict = { retryMs: 0, isTold: true }
/** Room comes when somebody leaves; the turned away are spread over the time from this to twice as much. */
const spreadMs = 15_000
const warnPauseMs = 60_000

/** The one copy that the engine keeps of it, as of the names of properties: behind one address there may be thousands. */
const shared = (text: string): string => Object.keys({ [text]: 0 })[0]!

export function createAddresses(options: {
  readonly settings: AddressSettings
  readonly budgets: Budgets
  readonly logger: Pick<Logger, 'warn'>
  readonly random: () => number
  readonly steady: () => number
}): Addresses {
  const { settings, budgets, logger, random, steady } = options
  const { trustedProxies, addressHeader, connectsPerAddressMax, socketsPerAddressMax } = settings
  const read = createCallerReader({ trustedProxies, header: addressHeader })
  const rate = { perSecond: connectsPerAddressMax / minuteS, burst: connectsPerAddressMax }
  const connects: Budget = { name: 'address-connects', ...rate }
  /** As many again are told why; beyond them the answer comes before the upgrade. */
  const told: Budget = { name: 'address-refusals', ...rate }
  const sockets = budgets.holding('address-sockets', socketsPerAddressMax)
  /** Of each address, on this node. */
  const counts = new Map<string, number>()
  let warnedAt = Number.NEGATIVE_INFINITY

  function add(address: string, difference: 1 | -1): void {
    const count = (counts.get(address) ?? 0) + difference
    if (count > 0) counts.set(address, count)
    else counts.delete(address)
    sockets.set(address, count)
  }

  function warn(address: string): void {
    if (steady() - warnedAt < warnPauseMs) return
    warnedAt = steady()
    logger.warn(
      { address },
      'address over its limit; sockets refused. Add your own proxies to TRUSTED_PROXIES; for a shared address raise SOCKETS_PER_ADDRESS_MAX or CONNECTS_PER_ADDRESS_MAX',
    )
  }

  return {
    callerOf(peer, header) {
      const headers = trustedProxies.length === 0 ? {} : { [addressHeader]: header(addressHeader) }
      return shared(callerNetworkOf(read({ headers, socket: { remoteAddress: peer } }).address))
    },
    judge(address) {
      const hasRoom = (counts.get(address) ?? 0) + sockets.elsewhere(address) < socketsPerAddressMax
      const waitMs = hasRoom ? budgets.spend(connects, address, 1) : spreadMs
      if (waitMs === 0) return welcome
      warn(address)
      return {
        retryMs: Math.ceil(waitMs + random() * spreadMs),
        isTold: budgets.spend(told, address, 1) === 0,
      }
    },
    opened: address => add(address, 1),
    closed: address => add(address, -1),
  }
}
