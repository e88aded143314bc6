/** Rules of settings that name a place: URLs, origins, hosts. What cannot work is refused at the start, with the rule. */
import { isIP } from 'node:net'

export interface UrlRule {
  readonly schemes: readonly string[]
  /** Whether more may stand behind the host: `any`, `none`, or a path that must be there. */
  readonly path: 'any' | 'none' | 'needed'
  /** Whether a name and a password may stand before the host. */
  readonly login?: boolean
  readonly query?: boolean
}

/** Parses a URL of one of these schemes. */
export function urlOf(rule: UrlRule): (text: string) => string {
  const shown = rule.schemes.map(scheme => `${scheme}://`).join(' or ')
  return text => {
    const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase()
    if (scheme === undefined || !rule.schemes.includes(scheme)) throw new Error(`must begin with ${shown}`)
    if (!URL.canParse(text)) throw new Error('must be a URL, with special characters percent-encoded')
    const url = new URL(text)
    if (url.hostname === '') throw new Error('must name a host')
    if (url.port === '0') throw new Error('must not have the port 0')
    if (rule.login !== true && (url.username !== '' || url.password !== ''))
      throw new Error('must not contain a user name and password')
    if (text.includes('#')) throw new Error('must not have a fragment (#)')
    if (rule.query !== true && text.includes('?')) throw new Error('must not have a query (?)')
    const path = url.pathname === '/' ? '' : url.pathname
    if (rule.path === 'needed' && path === '') throw new Error('must have a path')
    if (rule.path === 'none' && path !== '') throw new Error('must not have a path')
    return text
  }
}

/**
 * An origin as browsers send it, to the letter: it is compared as text. Apps that are no web pages have schemes of their
 * own, such as `capacitor://localhost`.
 */
export function parseOrigin(text: string): string {
  if (text.includes('*')) throw new Error('must be origins, without a wildcard: name each')
  const [, scheme = '', host = '', rest = ''] = /^([a-z][a-z0-9+.-]*):\/\/([^/?#@]+)(.*)$/i.exec(text) ?? []
  const isWeb = /^https?$/i.test(scheme)
  if (host === '' || (isWeb && !URL.canParse(text)))
    throw new Error('must be origins: https://host or https://host:port')
  const origin = isWeb ? new URL(`${scheme}://${host}`).origin : `${scheme}://${host}`.toLowerCase()
  if (rest !== '') throw new Error(`must be origins, without a path or a slash at the end: ${origin}`)
  if (origin !== text) throw new Error(`must be origins as browsers send them: ${origin}`)
  return text
}

/** Origins, comma-separated; or `*` alone, for every one. */
export function parseOrigins(text: string): readonly string[] {
  const parts = text
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '')
  return parts.length === 1 && parts[0] === '*' ? parts : parts.map(parseOrigin)
}

/** What a server listens on: an address, or a name of this machine. */
export function parseListenHost(text: string): string {
  if (isIP(text) === 0 && !isHostName(text)) throw new Error('must be an address or a name, without scheme and port')
  return text
}

/** The name of a host in small letters, with a port if there is one. */
export function parseHost(text: string): string {
  const host = text.toLowerCase()
  const [, name = '', port = '1'] = /^([^:]*)(?::(\d{1,5}))?$/.exec(host) ?? []
  if (!isHostName(name) || Number(port) < 1 || Number(port) > 65_535)
    throw new Error('must be names of hosts, without scheme and path')
  return host
}

const isHostName = (text: string) =>
  text.length <= 253 && text.split('.').every(label => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label))

/** What a process or a region is called, in Redis, in metrics and on the wire. */
export function parseNodeName(text: string): string {
  if (!/^[\w.-]{1,128}$/.test(text)) throw new Error('must be 1 to 128 letters, digits, `.`, `-` and `_`')
  return text
}
