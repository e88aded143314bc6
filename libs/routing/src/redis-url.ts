/** Where Redis is, by its URL: one server, a cluster, or the master that sentinels name. */

export interface RedisTarget {
  readonly host: string
  readonly port: number
}

export interface RedisPlace {
  readonly kind: 'server' | 'cluster' | 'sentinel'
  readonly tls: boolean
  readonly username: string
  readonly password: string
  /** The server, some nodes of the cluster, or the sentinels. */
  readonly hosts: readonly RedisTarget[]
  /** Of what the sentinels watch, the name. */
  readonly master: string
  readonly database: number
  readonly sentinelUsername: string
  readonly sentinelPassword: string
}

const form = /^redis(s?)(-cluster|-sentinel)?:\/\/(?:([^/?@]*)@)?([^/?]*)(\/[^?]*)?(?:\?(.*))?$/
const sentinelPort = 26_379
const serverPort = 6_379

/** @throws Error that says the rule; never with the URL, which holds a password */
export function parseRedisUrl(url: string): RedisPlace {
  const found = form.exec(url)
  if (found === null)
    throw new Error(
      'unable to read the URL of Redis: it is none of redis://, redis-cluster://, redis-sentinel://, and the same with rediss',
    )
  const [, tls, scheme = '', login = '', hosts = '', path = '', search = ''] = found
  const kind = scheme === '-cluster' ? 'cluster' : scheme === '-sentinel' ? 'sentinel' : 'server'
  const query = new URLSearchParams(search)
  const colon = login.indexOf(':')
  const name = decodeURIComponent(path.slice(1))
  if (kind === 'sentinel' && name === '')
    throw new Error(
      'unable to read the URL of Redis: redis-sentinel://host:port,host:port/NAME lacks the name of the master',
    )
  return {
    kind,
    tls: tls !== '',
    username: decodeURIComponent(colon < 0 ? login : login.slice(0, colon)),
    password: colon < 0 ? '' : decodeURIComponent(login.slice(colon + 1)),
    hosts: hosts.split(',').map(host => toTarget(host, kind === 'sentinel' ? sentinelPort : serverPort)),
    master: kind === 'sentinel' ? name : '',
    database: Number((kind === 'sentinel' ? query.get('db') : name) || 0),
    sentinelUsername: query.get('sentinelUsername') ?? '',
    sentinelPassword: query.get('sentinelPassword') ?? '',
  }
}

/** `host`, `host:port` or `[::1]:port`. */
export function toTarget(text: string, port = serverPort): RedisTarget {
  const [, host, given] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(text) as unknown as [string, string, string | undefined]
  return { host, port: Number(given ?? port) }
}
