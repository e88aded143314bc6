/**
 * The rules of the layout (docs/architecture.md) for dependency-cruiser: what each package may import of ours, who owns each
 * thing from outside, and that nothing imports itself by way of others. `npm run boundaries` holds the sources to them, and
 * the rules to tools/lazy/boundaries-cases.mjs. Imports of types count like all others.
 */

/** What may import what. A package names only those above it here, so that there is no way round; one without a rung fails. */
export const ladder = {
  // The wire and the process import nothing of ours.
  'libs/protocol': [],
  'libs/service': [],
  // The domain, the routing, the files and the client import the wire alone, and do not know each other.
  'libs/files': ['libs/protocol'],
  'libs/chat': ['libs/protocol'],
  'libs/routing': ['libs/protocol'],
  'libs/sdk': ['libs/protocol'],
  'libs/react': ['libs/protocol', 'libs/sdk'],
  'libs/node': ['libs/service', 'libs/chat', 'libs/routing'],
  'libs/testing': ['libs/protocol', 'libs/service', 'libs/chat', 'libs/routing', 'libs/sdk'],
  // No app imports an app, but for the one that is composed of them.
  'apps/gateway': ['libs/protocol', 'libs/service', 'libs/chat', 'libs/routing', 'libs/node'],
  'apps/api': ['libs/protocol', 'libs/service', 'libs/chat', 'libs/files', 'libs/routing', 'libs/node'],
  'apps/worker': ['libs/protocol', 'libs/service', 'libs/chat', 'libs/files', 'libs/node'],
  'apps/cli': ['libs/protocol', 'libs/service', 'libs/chat', 'libs/node', 'libs/sdk'],
  'apps/standalone': [
    'libs/protocol',
    'libs/service',
    'libs/chat',
    'libs/files',
    'libs/routing',
    'apps/gateway',
    'apps/api',
    'apps/worker',
    'apps/cli',
  ],
  // What people see stands on the public client alone.
  'apps/web': ['libs/protocol', 'libs/sdk', 'libs/react'],
  // What product teams begin with stands on what is published.
  'examples/react-chat': ['libs/sdk', 'libs/react'],
  'examples/embed-widget': ['libs/sdk'],
  'apps/bench': ['libs/protocol', 'libs/service', 'libs/chat', 'libs/routing', 'libs/sdk', 'libs/testing'],
  'tools/attack': ['libs/protocol', 'libs/service', 'libs/sdk', 'libs/testing'],
  'tools/docs': [
    'libs/protocol',
    'libs/service',
    'apps/gateway',
    'apps/api',
    'apps/worker',
    'apps/cli',
    'apps/standalone',
  ],
  'tools/fleet': ['libs/protocol', 'libs/service', 'libs/chat', 'libs/sdk', 'libs/testing', 'apps/api'],
  'tools/package': [],
}

/** What a test may import beyond its package: the tests' own library, and for a test of an app every library. */
const libraries = Object.keys(ladder).filter(folder => folder.startsWith('libs/'))
const testsOf = folder => (folder.startsWith('libs/') ? ['libs/testing'] : libraries)

/**
 * The wings of libs/chat, the lowest first: a wing imports itself and what stands below it. Beside them stand the
 * permissions, which import nothing, and what joins the wings.
 */
const wings = [
  'text',
  'store',
  'users',
  'notices',
  'accounts',
  'privacy',
  'log',
  'people',
  'push',
  'operators',
  'lifecycle',
]

/** What is used in tests alone. */
const tests = String.raw`\.(test|testbed)\.tsx?$`
const testsAndTools = ['^libs/testing/', '^apps/bench/', '^tools/', tests]

/** One owner for each thing from outside. The environment is the linter's (.oxlintrc.json): it is no import. */
const owners = {
  'sockets belong to the gateway': {
    packages: ['uWebSockets.js', 'uws-pack'],
    owners: [String.raw`^apps/gateway/src/server\.ts$`, '^apps/bench/'],
  },
  'pictures and object stores belong to files': {
    packages: ['sharp', 'file-type', '@aws-sdk/[^/]+'],
    owners: ['^libs/files/', tests],
  },
  'mail and push belong to the worker': {
    packages: ['nodemailer', 'web-push', 'firebase-admin'],
    owners: ['^apps/worker/', tests],
  },
  'traces belong to service': {
    packages: ['@opentelemetry/[^/]+'],
    owners: [String.raw`^libs/service/src/tracing\.ts$`, tests],
  },
  'fastify belongs to the api': { packages: ['fastify', '@fastify/[^/]+'], owners: ['^apps/api/'] },
  'PostgreSQL belongs to chat': {
    packages: ['pg', 'pg-[^/]+', 'drizzle-orm'],
    owners: ['^libs/chat/', ...testsAndTools],
  },
  'Redis belongs to routing': { packages: ['ioredis'], owners: ['^libs/routing/', ...testsAndTools] },
  'the environment belongs to config.ts': {
    packages: ['(node:)?process'],
    owners: [String.raw`/config\.ts$`, ...testsAndTools],
  },
}

const anyOf = folders => folders.map(folder => `^${folder}/`)
const ours = '^(apps|examples|libs|tools)/'
const rule = (name, from, to) => ({ name, severity: 'error', from, to })

const ladderRules = Object.entries(ladder).flatMap(([folder, below]) => [
  rule(
    `${folder} keeps to its rung`,
    { path: `^${folder}/`, pathNot: tests },
    { path: ours, pathNot: anyOf([folder, ...below]) },
  ),
  rule(
    `the tests of ${folder} keep to its rung`,
    { path: `^${folder}/.*${tests}` },
    { path: ours, pathNot: anyOf([folder, ...below, ...testsOf(folder)]) },
  ),
])

const wingRules = wings.map((wing, at) =>
  rule(
    `the wing ${wing} does not reach up`,
    { path: `^libs/chat/src/${wing}/`, pathNot: tests },
    {
      path: [
        ...anyOf(wings.slice(at + 1).map(higher => `libs/chat/src/${higher}`)),
        String.raw`^libs/chat/src/(context|index)\.ts$`,
      ],
    },
  ),
)

const ownerRules = Object.entries(owners).map(([name, { packages, owners: owned }]) =>
  rule(name, { path: ours, pathNot: owned }, { path: packages.map(one => `(^|/node_modules/)${one}(/|$)`) }),
)

export default {
  forbidden: [
    ...ladderRules,
    ...wingRules,
    ...ownerRules,
    rule(
      'a package has its rung',
      { path: '^(apps|examples|libs|tools)/[^/]+/', pathNot: anyOf(Object.keys(ladder)) },
      {},
    ),
    rule(
      'packages are entered by their door',
      { path: '^((?:apps|examples|libs|tools)/[^/]+)/' },
      {
        path: ours,
        pathNot: [
          '^$1/',
          String.raw`^(apps|libs)/[^/]+/src/index\.ts$`,
          String.raw`^libs/(testing/src/load|protocol/src/(markup|schemas)|sdk/src/(kept-session|state))\.ts$`,
        ],
      },
    ),
    rule(
      'a relative import leaves no package',
      { path: '^((?:apps|examples|libs|tools)/[^/]+)/' },
      { path: ours, pathNot: '^$1/', dependencyTypes: ['local'] },
    ),
    rule('what is ours exists', { path: ours }, { path: String.raw`^(@flotilla/|\.)`, couldNotResolve: true }),
    rule('tests are not imported', { path: ours, pathNot: tests }, { path: tests }),
    rule('nothing imports itself', { path: ours }, { circular: true }),
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/|^tools/lazy/' },
    enhancedResolveOptions: { conditionNames: ['source', 'import', 'node', 'default'], exportsFields: ['exports'] },
  },
}
