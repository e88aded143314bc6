/**
 * Who calls, when proxies stand in between. Each of them wrote down whom it saw, the last one at the end; what stands
 * before the first that is not ours was written by whoever called, and counts for nothing. So the list is walked from its
 * end, through our own proxies, to the first address that is nobody's proxy.
 *
 * What cannot be read as an address (`unknown`, a name of RFC 7239, markup) ends the walk at the last proxy that is ours:
 * a caller without an address shares that one with all others like it, and never gets a fresh one by writing nonsense.
 */
import ipaddr from 'ipaddr.js'
import { list, type Setting } from './config.ts'

/** The headers in which proxies say whom they saw: the customary one, and that of RFC 7239. */
export const addressHeaders = ['x-forwarded-for', 'forwarded'] as const
export type AddressHeader = (typeof addressHeaders)[number]

export interface Caller {
  /** As it is counted, shown and kept: IPv4 with dots, IPv6 in its shortest form. Empty where there is none. */
  readonly address: string
  /** Whether the peer is one of our proxies, so that what else it says can be believed. */
  readonly isProxied: boolean
}

/** What is looked at of a request. Several lines of one header are one, joined by commas, as Node joins them. */
export interface CallerRequest {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly socket: { readonly remoteAddress?: string | undefined }
}

type Address = ipaddr.IPv4 | ipaddr.IPv6
type Network = [Address, number]

/** An IPv6 network of so many bits is one caller: it is what one household, or one server, gets. */
const callerBits = 64

/** How a hop is written: `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`. A port may be hidden, as `_x`. */
const hopShape = /^(?:\[([^[\]]*:[^[\]]*)\]|([\d.]+))(?::(?:\d{1,5}|_[\w.-]+))?$/

/** @returns undefined for what is no address */
function parseHop(text: string): Address | undefined {
  const bare = parseAddress(text)
  if (bare !== undefined) return bare
  const [, bracketed, dotted] = hopShape.exec(text) ?? []
  return parseAddress(bracketed ?? dotted ?? '')
}

function parseAddress(text: string): Address | undefined {
  // Others take `010.1` and `1` for addresses, each its own way.
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text)
  // The zone says through which card somebody is reached from here, and nothing of who it is.
  const [address = ''] = text.split('%')
  if (!ipaddr.IPv6.isValid(address)) return undefined
  const parsed = ipaddr.IPv6.parse(address)
  return parsed.isIPv4MappedAddress() ? parsed.toIPv4Address() : parsed
}

/** @throws Error with the rule */
function parseNetwork(text: string): Network {
  const [, name = '', length] = /^([^/%]*)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const address = parseAddress(name)
  const bitsMax = address?.kind() === 'ipv6' ? 128 : 32
  // Of a mapped network, as of its addresses, the part counts that is IPv4.
  const mappedBits = bitsMax === 32 && name.includes(':') ? 96 : 0
  const bits = length === undefined ? bitsMax : Number(length) - mappedBits
  if (address === undefined || bits > bitsMax)
    throw new Error(`must be addresses or networks (10.0.0.0/8, fd00::/8), not '${text}'`)
  if (bits < 1) throw new Error(`must not hold every address ('${text}'): then callers would name their own`)
  return [address, bits]
}

/** A setting that lists proxies. */
export const networks = (description: string): Setting<readonly string[]> => {
  const declared = list([], description)
  return {
    ...declared,
    parse(text) {
      const given = declared.parse(text)
      for (const one of given) parseNetwork(one)
      return given
    },
  }
}

/**
 * Reads who calls.
 * @param options addresses and networks of the proxies, and the header that they write
 * @throws Error when one of the networks is none
 */
export function createCallerReader(options: {
  readonly trustedProxies: readonly string[]
  readonly header: AddressHeader
}): (request: CallerRequest) => Caller {
  const proxies = options.trustedProxies.map(parseNetwork)
  const hopsFromEnd = options.header === 'forwarded' ? forwardedFromEnd : listedFromEnd
  const isProxy = (address: Address) =>
    proxies.some(([network, bits]) => network.kind() === address.kind() && address.match([network, bits]))

  return ({ headers, socket }) => {
    const peer = parseAddress(socket.remoteAddress ?? '')
    if (peer === undefined) return { address: '', isProxied: false }
    if (!isProxy(peer)) return { address: peer.toString(), isProxied: false }
    const said = headers[options.header]
    let address = peer
    for (const hop of hopsFromEnd(typeof said === 'string' ? said : (said?.join(',') ?? ''))) {
      const next = hop === undefined ? undefined : parseHop(hop)
      if (next === undefined) break
      address = next
      if (!isProxy(next)) break
    }
    return { address: address.toString(), isProxied: true }
  }
}

/** What counts as one caller: an IPv4 address, or an IPv6 network of 64 bits. */
export function callerNetworkOf(address: string): string {
  const parsed = parseAddress(address)
  if (parsed === undefined || parsed.kind() === 'ipv4') return parsed?.toString() ?? address
  return ipaddr.IPv6.networkAddressFromCIDR(`${parsed.toString()}/${callerBits}`).toString()
}

/** The elements of a list, the last first. Empty ones are none (RFC 9110, 5.6.1). */
function* listedFromEnd(header: string): Generator<string> {
  for (const part of header.split(',').toReversed()) {
    const text = part.trim()
    if (text !== '') yield text
  }
}

const pair = /\s*([\w!#$%&'*+.^`|~-]+)=("(?:[^"\\]|\\.)*"|[^\s",;]*)\s*(;|$)/y

/** Of each element of `Forwarded`, the last first, whom it is for; undefined where it does not say so. */
function* forwardedFromEnd(header: string): Generator<string | undefined> {
  for (const element of elementsFromEnd(header)) yield forOf(element)
}

/**
 * Cut from the end, where our own proxies wrote: a quotation mark that a caller left open does not swallow what follows
 * it. A node's name holds no quotation mark, so none is escaped.
 */
function* elementsFromEnd(header: string): Generator<string> {
  let quoted = false
  let end = header.length
  for (let at = end - 1; at >= -1; at--) {
    if (header[at] === '"') quoted = !quoted
    if (at >= 0 && (header[at] !== ',' || quoted)) continue
    const text = header.slice(at + 1, end).trim()
    end = at
    if (text !== '') yield text
  }
}

function forOf(element: string): string | undefined {
  let found: string | undefined
  pair.lastIndex = 0
  while (pair.lastIndex < element.length) {
    const [, name = '', value = '', more] = pair.exec(element) ?? []
    if (more === undefined) return undefined
    if (name.toLowerCase() !== 'for') continue
    if (found !== undefined) return undefined
    found = value.startsWith('"') ? value.slice(1, -1).replaceAll(/\\(.)/g, '$1') : value
  }
  return found
}
