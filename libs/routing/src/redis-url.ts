/** Where Redis is, by its URL: one server, the nodes that a cluster is found by, or the master that sentinels name. */

/** What REDIS_URL is, for the docs. */
export const redisUrlSentence =
  'Redis: `redis://host:port`, `redis-cluster://host:port,host:port`, or `redis-sentinel://host:port,host:port/name` for the master named by the sentinels; with TLS `rediss`, `rediss-cluster`, `rediss-sentinel`.'

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
  readonly database: number
  /** What the sentinels call the master, and what they ask of whoever asks them. */
  readonly master: string
  readonly sentinelUsername: string
  readonly sentinelPassword: string
}

const form = /^redis(s?)(-cluster|-sentinel)?:\/\/(?:(.*)@)?([^/?#@]*)([^?#]*)(.*)$/
const kinds = { '': 'server', '-cluster': 'cluster', '-sentinel': 'sentinel' } as const
const sentinelPort = 26_379
const serverPort = 6_379

/** @throws Error with the rule that it breaks; nothing of the text is in it, since it may hold a password */
export function parseRedisUrl(url: string): RedisPlace {
  const found = form.exec(url)
  if (found === null)
    throw new Error('must begin with redis://, redis-cluster:// or redis-sentinel://, or the same with rediss')
  const [, tls = '', scheme = '', login = '', hosts = '', path = '', query = ''] = found
  const kind = kinds[scheme as keyof typeof kinds]
  checkParts(kind, { login, hosts, path, query })
  const colon = login.indexOf(':')
  const asked = new URLSearchParams(query)
  return {
    kind,
    tls: tls !== '',
    username: decodeURIComponent(colon < 0 ? login : login.slice(0, colon)),
    password: colon < 0 ? '' : decodeURIComponent(login.slice(colon + 1)),
    hosts: hosts.split(',').map(host => toTarget(host, kind === 'sentinel' ? sentinelPort : serverPort)),
    database: Number((kind === 'sentinel' ? asked.get('db') : path.slice(1)) ?? 0),
    master: kind === 'sentinel' ? path.slice(1) : '',
    sentinelUsername: asked.get('sentinelUsername') ?? '',
    sentinelPassword: asked.get('sentinelPassword') ?? '',
  }
}

/** @returns the text itself @throws Error with the rule that it breaks */
export function checkRedisUrl(text: string): string {
  parseRedisUrl(text)
  return text
}

const sentinelQuery = /^(\?(&?(db=\d{1,5}|sentinel(Username|Password)=[^&#]*))+)?$/

function checkParts(
  kind: RedisPlace['kind'],
  { login, hosts, path, query }: Readonly<Record<'login' | 'hosts' | 'path' | 'query', string>>,
): void {
  if (/[/?#]|%(?![\da-f]{2})/i.test(login)) throw new Error('must have what is special in its password percent-encoded')
  if (kind === 'server' && hosts.includes(','))
    throw new Error('must name one host, or begin with redis-cluster:// or redis-sentinel://')
  if (!hosts.split(',').every(isHost)) throw new Error('must name hosts as host:port')
  if (kind === 'server' && !/^(\/\d{0,5})?$/.test(path)) throw new Error('must have a number as its database: /0')
  if (kind === 'cluster' && !/^\/?0?$/.test(path)) throw new Error('must not name a database: a cluster has none')
  if (kind === 'sentinel' && !/^\/[\w.-]+$/.test(path))
    throw new Error('must end with the name of the master: redis-sentinel://host:port,host:port/NAME')
  if (kind === 'sentinel' ? !sentinelQuery.test(query) : query !== '')
    throw new Error(
      kind === 'sentinel'
        ? 'may ask for db, sentinelUsername and sentinelPassword, and nothing else'
        : 'must not have a query (?) or a fragment (#)',
    )
}

function isHost(text: string): boolean {
  const [, host, port = '1'] = /^(\[[\da-f:.]+\]|[\w.-]+)(?::(\d+))?$/i.exec(text) ?? []
  return host !== undefined && Number(port) >= 1 && Number(port) <= 65_535
}

/** `host`, `host:port` or `[::1]:port`. */
export function toTarget(text: string, port = serverPort): RedisTarget {
  const [, host, given] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(text) as unknown as [string, string, string | undefined]
  return { host, port: Number(given ?? port) }
}
