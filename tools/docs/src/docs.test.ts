/** The docs name files, functions and tests. A rename that forgets them fails here. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { apiMetrics, apiSettings, migrateSettings } from '@flotilla/api'
import { operateSettings } from '@flotilla/cli'
import { gatewayMetrics, gatewaySettings } from '@flotilla/gateway'
import { type Metric, processMetrics, type Settings } from '@flotilla/service'
import { standaloneSettings } from '@flotilla/standalone'
import { workerMetrics, workerSettings } from '@flotilla/worker'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const docs = globSync(['*.md', 'docs/**/*.md', '{apps,examples,libs,tools}/*/README.md'], { cwd: root })
const isThere = (path: string) => existsSync(join(root, path))
const read = (path: string) => readFileSync(join(root, path), 'utf8')

const headingsOf = (text: string) =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )

/** `[words](path#heading)` */
const brokenLinks = (page: string, text: string) =>
  [...text.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)]
    .filter(([, path = '', heading]) => {
      const target = path === '' ? page : join(dirname(page), path)
      return !isThere(target) || (heading !== undefined && !headingsOf(read(target)).includes(heading))
    })
    .map(([link]) => link)

const missingFiles = (text: string) =>
  (text.match(/(?<![\w/.-])(?:apps|examples|libs|migrations|docs)\/[\w./-]+\.(?:ts|sql|md|json|lua)\b/g) ?? []).filter(
    path => !isThere(path),
  )

/** `name` and `name` (path): each stands alone somewhere in the file. */
const missingNames = (text: string) =>
  [...text.matchAll(/((?:`[^`\n]+`(?:,|\s+and|\s)*)+)\(((?:apps|libs)\/[\w/.-]+\.ts)\)/g)].flatMap(
    ([, listed = '', path = '']) =>
      [...listed.matchAll(/`([^`]+)`/g)]
        .map(([, name = '']) => name)
        .filter(name => !new RegExp(`(?<![\\w#])${name.replaceAll('.', String.raw`\.`)}(?!\\w)`).test(read(path)))
        .map(name => `${name} in ${path}`),
  )

/** `path`: "title" */
const missingTests = (text: string) =>
  [...text.matchAll(/`([\w/.-]+\.test\.ts)`:\s+"([^"]+)"/g)]
    .filter(([, path = '', title = '']) => !read(path).includes(title.replaceAll(/\s+/g, ' ')))
    .map(([claim]) => claim)

test.each(docs)('%s names only what is there', page => {
  const text = read(page)
  expect([...brokenLinks(page, text), ...missingFiles(text)]).toEqual([])
  expect([...missingNames(text), ...missingTests(text)]).toEqual([])
})

/** Whatever a person may read or import that names a metric: docs, dashboards, rules of alarms. */
const namesMetrics = globSync(
  ['*.md', 'docs/**/*.md', '{apps,examples,libs,tools}/*/README.md', 'helm/**/*.{json,yaml}'],
  {
    cwd: root,
  },
).filter(path => path !== 'CHANGELOG.md' && read(path).includes('flotilla_'))
const known = new Set(
  [processMetrics, gatewayMetrics, apiMetrics, workerMetrics].flatMap(catalogue =>
    Object.entries<Metric>(catalogue).flatMap(([name, { type }]) =>
      type === 'histogram' ? ['', '_bucket', '_sum', '_count'].map(end => name + end) : [name],
    ),
  ),
)
/** Names of files, databases and cookies begin alike; a metric stands where PromQL or a code span begins one. */
const unknownMetrics = (text: string) =>
  [...text.matchAll(/(?<![\w/.-])flotilla_[a-z0-9_]+/g)].map(([name]) => name).filter(name => !known.has(name))

test.each(namesMetrics)('%s names only metrics that are exported', path => {
  expect(unknownMetrics(read(path))).toEqual([])
})

const allSettings: readonly Settings[] = [
  apiSettings,
  gatewaySettings,
  migrateSettings,
  operateSettings,
  standaloneSettings,
  workerSettings,
]
/** `NAME=value`, of a setting that is no secret: a value that no process takes would keep it from starting. */
const wrongValues = (text: string) =>
  [...text.matchAll(/(?<![\w$])([A-Z][A-Z\d_]+)=(?:'([^'$…\n]*)'|([^\s'"`$…]+)(?=[\s'"`]|$))/g)].flatMap(
    ([given, name = '', quoted, bare = '']) => {
      const owners = allSettings.flatMap(settings => settings[name] ?? [])
      // The end of a sentence is none of the value.
      const value = quoted ?? bare.replace(/[.,;:)]+$/, '')
      return owners.some(({ secret, parse }) => !secret && throws(() => parse(value))) ? [given] : []
    },
  )

function throws(work: () => unknown): boolean {
  try {
    work()
    return false
  } catch {
    return true
  }
}

test.each(docs)('%s gives settings values that they take', page => {
  expect(wrongValues(read(page))).toEqual([])
})

test('what is looked for is found', () => {
  expect(wrongValues('set MAIL=off, PORT=80 and `MAIL=perhaps`; PORT=eighty. LOG_LEVEL=$LEVEL NODE_ENV=x')).toEqual([
    'MAIL=perhaps',
    'PORT=eighty.',
  ])
  expect(unknownMetrics('sum(rate(flotilla_connections[5m])) flotilla_closes_total')).toEqual(['flotilla_closes_total'])

  expect(docs).toContain('docs/life-of-a-message.md')
  expect(brokenLinks('README.md', '[a](nowhere.md) [b](#figures) [c](#nowhere)')).toEqual([
    '](nowhere.md)',
    '](#nowhere)',
  ])
  expect(missingFiles('see libs/chat/src/log/inserts.ts and libs/chat/src/none.ts')).toEqual(['libs/chat/src/none.ts'])
  expect(missingNames('`post` and\n`pots` (libs/chat/src/log/messages/post.ts)')).toEqual([
    'pots in libs/chat/src/log/messages/post.ts',
  ])
  expect(missingTests('`tools/docs/src/docs.test.ts`: "what is\n looked for is found" and').length).toBe(0)
  const absent = ['what', 'is', 'not', 'there'].join(' ')
  expect(missingTests(`\`tools/docs/src/docs.test.ts\`: "${absent}"`).length).toBe(1)
})
