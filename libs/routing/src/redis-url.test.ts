import { expect, test } from 'vitest'
import { checkRedisUrl, parseRedisUrl } from './redis-url.ts'

test.each([
  ['redis://cache', { kind: 'server', tls: false, hosts: [{ host: 'cache', port: 6379 }], database: 0 }],
  ['rediss://u:p%40@cache:1/2', { kind: 'server', tls: true, username: 'u', password: 'p@', database: 2 }],
  ['redis://u:p@s@cache', { username: 'u', password: 'p@s', hosts: [{ host: 'cache', port: 6379 }] }],
  ['redis://:p@[::1]:7', { username: '', password: 'p', hosts: [{ host: '::1', port: 7 }] }],
  [
    'redis-cluster://a:1,b',
    {
      kind: 'cluster',
      hosts: [
        { host: 'a', port: 1 },
        { host: 'b', port: 6379 },
      ],
    },
  ],
  [
    'rediss-sentinel://u:p@a,b:2/chat?db=3&sentinelUsername=watch&sentinelPassword=s%26t',
    {
      kind: 'sentinel',
      tls: true,
      username: 'u',
      password: 'p',
      hosts: [
        { host: 'a', port: 26_379 },
        { host: 'b', port: 2 },
      ],
      master: 'chat',
      database: 3,
      sentinelUsername: 'watch',
      sentinelPassword: 's&t',
    },
  ],
])('%s is read', (url, place) => {
  expect(parseRedisUrl(url)).toMatchObject(place)
  expect(checkRedisUrl(url)).toBe(url)
})

test.each([
  ['http://cache', 'must begin with redis://, redis-cluster:// or redis-sentinel://'],
  ['redis://a:1,b:2', 'must name one host'],
  ['redis://cache:0', 'must name hosts as host:port'],
  ['redis://:secret#1@cache', 'percent-encoded'],
  ['redis://cache/zero', 'must have a number as its database'],
  ['redis://cache?db=1', 'must not have a query'],
  ['redis-cluster://a:1,b:2/1', 'a cluster has none'],
  ['redis-sentinel://:secret@a:1,b:2', 'must end with the name of the master'],
  ['redis-sentinel://:secret@a:1/chat?password=secret', 'and nothing else'],
])('%s is refused by the rule, without what it holds', (url, rule) => {
  expect(() => checkRedisUrl(url)).toThrow(rule)
  expect(() => checkRedisUrl(url)).not.toThrow('secret')
})
