import { expect, test } from 'vitest'
import { parseRedisUrl } from './redis-url.ts'

test.each([
  ['redis://cache', { kind: 'server', tls: false, hosts: [{ host: 'cache', port: 6379 }], database: 0 }],
  ['rediss://u:p%40@cache:1/2', { kind: 'server', tls: true, username: 'u', password: 'p@', database: 2 }],
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
])('%s is read', (url, place) => expect(parseRedisUrl(url)).toMatchObject(place))

test.each([
  ['http://secret@cache', 'redis-sentinel://'],
  ['redis-sentinel://:secret@a:1,b:2', 'lacks the name of the master'],
])('%s is refused by the rule, without the password', (url, rule) => {
  expect(() => parseRedisUrl(url)).toThrow(rule)
  expect(() => parseRedisUrl(url)).not.toThrow('secret')
})
