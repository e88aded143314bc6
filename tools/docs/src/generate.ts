/**
 * Generates the docs that are made from the code: `npm run docs`. With `--check` it writes nothing and fails when a file
 * is out of date.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openApiDocument } from '@flotilla/api'
import { asyncApiDocument } from '@flotilla/protocol/schemas'
import { readCommandLine } from '@flotilla/service'
import { configurationDoc } from './configuration.ts'
import { metricsDoc } from './metrics.ts'
import { protocolDoc } from './protocol.ts'

const { flags } = readCommandLine({
  usage: 'npm run docs',
  about:
    'Generates the docs that are made from the code: docs/protocol.md, configuration.md, metrics.md, asyncapi.json, openapi.json.',
  options: { check: { about: 'write nothing; fail when a file is out of date' } },
})
const root = fileURLToPath(new URL('../../..', import.meta.url))

/** The sentence above each limit in its source. */
function limitSentences(): Map<string, string> {
  const source = readFileSync(join(root, 'libs/protocol/src/limits.ts'), 'utf8')
  return new Map(
    [...source.matchAll(/\/\*\* (.+?) \*\/\s+(\w+):/g)].map(([, sentence = '', name = '']) => [name, sentence]),
  )
}

const json = (document: object) => `${JSON.stringify(document, null, 2)}\n`

const docs: Readonly<Record<string, string>> = {
  'docs/protocol.md': protocolDoc(limitSentences()),
  'docs/configuration.md': configurationDoc(),
  'docs/metrics.md': metricsDoc(),
  'docs/asyncapi.json': json(asyncApiDocument()),
  'docs/openapi.json': json(await openApiDocument()),
}

const stale = Object.entries(docs).filter(
  ([path, text]) => !existsSync(join(root, path)) || readFileSync(join(root, path), 'utf8') !== text,
)
if (flags.has('check')) {
  for (const [path] of stale) console.error(`${path} is out of date: run npm run docs`)
  process.exitCode = stale.length === 0 ? 0 : 1
} else for (const [path, text] of stale) writeFileSync(join(root, path), text)
