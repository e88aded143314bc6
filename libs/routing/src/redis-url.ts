/** What REDIS_URL may be: one server, or the nodes that a cluster is found by; with TLS or without. */
const server = /^rediss?:\/\//
const cluster = /^rediss?-cluster:\/\//

/**
 * @returns the text itself
 * @throws Error with the rule that it breaks; nothing of the text is in it
 */
export function checkRedisUrl(text: string): string {
  if (!server.test(text) && !cluster.test(text))
    throw new Error('must begin with redis://, rediss://, redis-cluster:// or rediss-cluster://')
  const [, login = '', rest = ''] = /^[^/]+\/\/(.*@)?([^@]*)$/.exec(text) ?? []
  const [, hosts = '', path = '', query = ''] = /^([^/?#]*)([^?#]*)(.*)$/.exec(rest) ?? []
  if (query !== '') throw new Error('must not have a query (?) or a fragment (#)')
  if (/[/?#]|%(?![\da-f]{2})/i.test(login)) throw new Error('must have what is special in its password percent-encoded')
  const isCluster = cluster.test(text)
  if (!isCluster && hosts.includes(',')) throw new Error('must name one host, or begin with redis-cluster://')
  if (!hosts.split(',').every(isHost)) throw new Error('must name hosts as host:port')
  if (isCluster ? !/^\/?0?$/.test(path) : !/^(\/\d{0,5})?$/.test(path))
    throw new Error(
      isCluster ? 'must not name a database: a cluster has none' : 'must have a number as its database: /0',
    )
  return text
}

function isHost(text: string): boolean {
  const [, host, port = '6379'] = /^(\[[\da-f:.]+\]|[\w.-]+)(?::(\d+))?$/i.exec(text) ?? []
  return host !== undefined && Number(port) >= 1 && Number(port) <= 65_535
}
