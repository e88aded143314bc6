import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dropFolder, makeCertificate, makeFolder } from '@flotilla/testing'
import { afterAll, expect, test } from 'vitest'
import { readDatabaseUrl } from './database-url.ts'

const folder = makeFolder('database-url')
const { certificate, key } = makeCertificate()
const [ca, ownKey] = [join(folder, 'ca.pem'), join(folder, 'key.pem')]
writeFileSync(ca, certificate)
writeFileSync(ownKey, key)
afterAll(() => dropFolder(folder))

const at = (query: string) => `postgres://me:secret@db.example/chat?${query}`

test.each([
  [
    'postgres://me:s%40c@db.example:6432/chat',
    { host: 'db.example', port: 6432, user: 'me', password: 's@c', database: 'chat', ssl: false },
  ],
  ['postgresql://db.example', { host: 'db.example', port: undefined, user: undefined, database: undefined }],
  ['postgres://me@[::1]:5432/chat', { host: '::1', port: 5432 }],
  ['postgres://me@/chat?host=/var/run/postgresql', { host: '/var/run/postgresql', database: 'chat' }],
  ['postgres://me@%2Fvar%2Frun/chat', { host: '/var/run' }],
  ['postgresql:///chat?host=/run&port=5433', { host: '/run', port: 5433, user: undefined, database: 'chat' }],
  [at('sslmode=disable'), { ssl: false, mayBePlain: false }],
  [at('sslmode=allow'), { ssl: { rejectUnauthorized: false }, mayBePlain: true }],
  [at('sslmode=prefer'), { ssl: { rejectUnauthorized: false }, mayBePlain: true }],
  [at('sslmode=require'), { ssl: { rejectUnauthorized: false }, mayBePlain: false }],
  [at('ssl=true'), { ssl: { rejectUnauthorized: false }, mayBePlain: false }],
  [at('uselibpqcompat=true&sslmode=require'), { ssl: { rejectUnauthorized: false }, mayBePlain: false }],
  // Whoever names an authority wants it asked.
  [
    at(`sslmode=require&sslrootcert=${ca}`),
    { ssl: { rejectUnauthorized: true, ca: certificate, checkServerIdentity: expect.any(Function) } },
  ],
  [
    at(`sslmode=verify-ca&sslrootcert=${ca}`),
    { ssl: { rejectUnauthorized: true, ca: certificate, checkServerIdentity: expect.any(Function) } },
  ],
  [at(`sslmode=verify-full&sslrootcert=${ca}`), { ssl: { rejectUnauthorized: true, ca: certificate } }],
  [at('sslmode=verify-full&sslrootcert=system'), { ssl: { rejectUnauthorized: true } }],
  [at('sslmode=verify-full'), { ssl: { rejectUnauthorized: true } }],
  [
    at(`sslmode=require&sslcert=${ca}&sslkey=${ownKey}`),
    { ssl: { rejectUnauthorized: false, cert: certificate, key } },
  ],
  [
    at('sslmode=require&channel_binding=require&sslnegotiation=direct'),
    { channelBinding: 'require', sslnegotiation: 'direct' },
  ],
  // Nobody stands between the two ends of a Unix socket.
  ['postgres://me@/chat?host=/run&sslmode=require', { ssl: false }],
] as const)('%s', (url, address) => {
  expect(readDatabaseUrl(url)).toMatchObject(address)
})

test.each([
  ['db.example:5432/chat', /must be postgres:\/\//],
  ['mysql://db.example/chat', /must be postgres:\/\//],
  ['postgres://me:se#cret@db.example/chat', /must be postgres:\/\//],
  ['postgres://me:secret%@db.example/chat', /% written as %25/],
  ['postgres://one,two/chat', /must name one host/],
  ['postgres://me:secret@one:5432,two:5433/chat', /must name one host/],
  ['postgres://me@/chat?host=one,two', /must name one host/],
  ['postgres://me@db.example/chat?port=5432,5433', /must have one port/],
  ['postgres://me@db.example:0/chat', /must have one port/],
  [at('sslmode=required'), /must have sslmode=disable or allow or prefer or require or verify-ca or verify-full/],
  [at('sslmode=verify-ca'), /must have sslrootcert with sslmode=verify-ca/],
  [at('sslmode=require&sslrootcert=system'), /must have sslmode=verify-full with sslrootcert=system/],
  [at('sslmode=verify-full&sslrootcert=/none/ca.pem'), /has sslrootcert=\/none\/ca\.pem, which cannot be read: ENOENT/],
  [at('sslmode=require&sslcert=/none/own.pem'), /sslcert and sslkey together/],
  [at('sslmode=prefer&sslnegotiation=direct'), /sslmode=require or stronger with sslnegotiation=direct/],
  [at('target_session_attrs=read-write'), /must have target_session_attrs=any/],
  [at('gssencmode=require'), /must have gssencmode=disable or prefer/],
  [at('statement_timeout=1'), /cannot have the parameter statement_timeout; it may have host, /],
  [at('sslcrl=/x'), /cannot have the parameter sslcrl/],
])('%s is refused with the rule, and without the password', (url, rule) => {
  const read = () => readDatabaseUrl(url)
  expect(read).toThrow(rule)
  expect(read).not.toThrow(/secret/)
})
