import { expect, test } from 'vitest'
import { findBreaches, importsOf, readSources } from './boundaries.ts'

test('the sources keep to the rules of the layout', () => {
  const { packages, files } = readSources()
  expect(files.length).toBeGreaterThan(50)
  expect(files.flatMap(file => importsOf(file.text)).length).toBeGreaterThan(files.length)
  expect(findBreaches(packages, files)).toEqual([])
})

/** Puts one file into the real packages and tells what is said about it. */
function breachesOf(path: string, text: string): string[] {
  return findBreaches(readSources().packages, [{ path, text }])
}

test.each([
  ['protocol imports nothing of ours', 'libs/protocol/src/up.ts', `import { x } from '@flotilla/service'`],
  ['service imports nothing of ours', 'libs/service/src/logger.ts', `import type { Entry } from '@flotilla/protocol'`],
  ['chat does not know routing', 'libs/chat/src/context.ts', `import { createNode } from '@flotilla/routing'`],
  ['routing does not know chat', 'libs/routing/src/node.ts', `export * from '@flotilla/chat'`],
  ['the SDK knows only the wire', 'libs/sdk/src/client.ts', `const x = await import('@flotilla/service')`],
  ['no app imports an app', 'apps/gateway/src/main.ts', `import { buildApp } from '@flotilla/api'`],
  ['no lib imports an app', 'libs/testing/src/fleet.ts', `import '@flotilla/gateway'`],
  ['no app imports the tests', 'apps/standalone/src/main.ts', `import { startRedis } from '@flotilla/testing'`],
  ['no lib imports the tests', 'libs/chat/src/context.ts', `import { until } from '@flotilla/testing'`],
  [
    'a test of a lib stays on its own rung',
    'libs/chat/src/a.test.ts',
    `import { createNode } from '@flotilla/routing'`,
  ],
  ['a test of an app imports no other app', 'apps/api/src/a.e2e.test.ts', `import { x } from '@flotilla/gateway'`],
  [
    'packages are entered by their door',
    'apps/api/src/app.ts',
    `import { post } from '@flotilla/chat/src/messages/post.ts'`,
  ],
  [
    'a deep import through node_modules',
    'apps/api/src/app.ts',
    `import { x } from '../../../node_modules/@flotilla/chat/src/x.ts'`,
  ],
  ['a relative import leaves no package', 'libs/sdk/src/client.ts', `import { up } from '../../protocol/src/up.ts'`],
  [
    'a wing of the domain imports none above it',
    'libs/chat/src/accounts/sessions/begin.ts',
    `import { post } from '../../log/messages/post.ts'`,
  ],
  [
    'nor what joins the wings',
    'libs/chat/src/log/messages/post.ts',
    `import type { ChatContext } from '../../context.ts'`,
  ],
  ['tests are not imported', 'libs/routing/src/node.ts', `import { bed } from './testbed.ts'`],
  ['what is ours must exist', 'apps/api/src/app.ts', `import { x } from '@flotilla/utils'`],
  ['a package must have its rung', 'libs/nowhere/src/a.ts', ''],
  ['sockets belong to server.ts', 'apps/gateway/src/hub.ts', `import type { WebSocket } from 'uWebSockets.js'`],
  ['and not to tests', 'apps/gateway/src/hub.test.ts', `import { App } from 'uWebSockets.js'`],
  ['fastify belongs to the api', 'apps/standalone/src/main.ts', `import fastify from 'fastify'`],
  ['with its plug-ins', 'libs/service/src/health.ts', `import cors from '@fastify/cors'`],
  ['SQL belongs to chat', 'apps/api/src/app.ts', `import pg from 'pg'`],
  ['also through drizzle', 'apps/gateway/src/main.ts', `import { sql } from 'drizzle-orm/pg-core'`],
  ['Redis belongs to routing', 'apps/api/src/app.ts', `import {\n  Redis,\n  Cluster,\n} from 'ioredis'`],
  ['also when it is required', 'apps/api/src/app.ts', `const { Redis } = require('ioredis')`],
  ['the environment belongs to config.ts', 'apps/api/src/app.ts', `const url = process.env['DATABASE_URL']`],
  ['whatever its spelling', 'apps/api/src/app.ts', `const url = process['env'].X`],
  ['also when it is imported', 'apps/api/src/app.ts', `import { env } from 'node:process'`],
  ['after a quoted comment sign', 'apps/api/src/app.ts', `const a = '/*'\nimport pg from 'pg'\nconst b = '*/'`],
])('%s', (_, path, text) => {
  expect(breachesOf(path, text)).toHaveLength(1)
  expect(breachesOf(path, text)[0]).toContain(path)
})

test.each([
  [
    'an app may use every library it stands on',
    'apps/gateway/src/main.ts',
    `import { createNode } from '@flotilla/routing'`,
  ],
  ['the one app that is composed of apps', 'apps/standalone/src/main.ts', `import { buildApp } from '@flotilla/api'`],
  ['a test may use the tests', 'libs/chat/src/a.pg.test.ts', `import { testDatabase } from '@flotilla/testing'`],
  [
    'a test of an app may use the SDK',
    'apps/gateway/src/a.e2e.test.ts',
    `import { createClient } from '@flotilla/sdk'`,
  ],
  [
    'a wing may import those below it',
    'libs/chat/src/log/messages/post.ts',
    `import { holdUsers } from '../../users/hold.ts'`,
  ],
  [
    'a test of a wing may use all of them',
    'libs/chat/src/users/names.pg.test.ts',
    `import { post } from '../log/messages/post.ts'`,
  ],
  ['the owner of sockets', 'apps/gateway/src/server.ts', `import { App } from 'uWebSockets.js'`],
  [
    'tests and the benchmark may ask servers directly',
    'apps/bench/src/main.ts',
    `import pg from 'pg'\nimport { Redis } from 'ioredis'`,
  ],
  ['configuration reads the environment', 'apps/api/src/config.ts', `export const env = process.env`],
  ['a comment imports nothing', 'apps/api/src/app.ts', `/**\n * import pg from 'pg'\n */\n// process.env.X\n`],
  ['nor does a URL hide what follows', 'apps/api/src/app.ts', `const url = 'http://x' // import('pg')`],
])('allowed: %s', (_, path, text) => {
  expect(breachesOf(path, text)).toEqual([])
})

test('cycles are found, also those that each step of the ladder would allow', () => {
  const { packages } = readSources()
  const file = (folder: string, target: string) => ({
    path: `${folder}/src/a.ts`,
    text: `import '@flotilla/${target}'`,
  })
  const found = findBreaches(packages, [
    file('libs/chat', 'sdk'),
    file('libs/sdk', 'testing'),
    file('libs/testing', 'chat'),
  ])
  expect(found.filter(one => one.includes('by way of'))).toEqual([
    'libs/chat: imports itself by way of libs/sdk, libs/testing, libs/chat',
  ])
  expect(findBreaches([{ folder: 'libs/new', name: '@flotilla/new', entries: ['.'] }], [])).toEqual([
    'libs/new: has no place in the ladder of boundaries.ts',
  ])
})
