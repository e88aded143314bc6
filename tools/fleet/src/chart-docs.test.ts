/** The chart's README and schema are what values.yaml and the declared settings say. Needs no Helm. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { chartFolder } from './chart.ts'
import { readChartValues, readDeclaredSettings, settingSchema, withSettings, withTable } from './chart-docs.ts'
import { inProject } from './root.ts'

const read = (file: string) => readFileSync(join(chartFolder, file), 'utf8')
const source = read('values.yaml')
const paper = readFileSync(inProject('docs/configuration.md'), 'utf8')
const made = 'is not what `npm run chart:docs` writes'

test('every value says what it does, and the README has them all', () => {
  const values = readChartValues(source)
  expect(values.filter(value => value.description === undefined).map(value => value.path)).toEqual([])
  expect(read('README.md'), `README.md ${made}`).toBe(withTable(read('README.md'), values))
})

test('the schema knows the settings of each process', () => {
  const schema = read('values.schema.json')
  expect(JSON.parse(schema), `values.schema.json ${made}`).toEqual(JSON.parse(withSettings(schema, paper)))
})

interface Schema {
  readonly $ref?: string
  readonly type?: string | string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: unknown
}
const schema = JSON.parse(read('values.schema.json')) as Schema & { readonly definitions: Record<string, Schema> }
const resolve = (one: Schema | undefined): Schema =>
  one?.$ref === undefined ? (one ?? {}) : (schema.definitions[one.$ref.replace('#/definitions/', '')] ?? {})

test('the schema and values.yaml name the same values, and the schema no others', () => {
  const unlike: string[] = []
  const compare = (value: unknown, given: Schema | undefined, path: string) => {
    const { properties } = resolve(given)
    if (properties === undefined || typeof value !== 'object' || value === null || Object.keys(value).length === 0)
      return
    if (resolve(given).additionalProperties !== false) unlike.push(`${path || 'the root'} is open`)
    const names = new Set([...Object.keys(value), ...Object.keys(properties)])
    for (const name of names) {
      // Helm's own, and what a resource or a peer may have beside the defaults.
      if (path === '' && name === 'global') continue
      if (!(name in properties)) unlike.push(`${path}${name} is missing in the schema`)
      else if (name in value) compare((value as Record<string, unknown>)[name], properties[name], `${path}${name}.`)
      else if (!path.includes('resources.')) unlike.push(`${path}${name} is missing in values.yaml`)
    }
  }
  compare(parse(source), schema, '')
  expect(unlike).toEqual([])
})

test('values are read with their comments, also the first of a map and a map that is documented as a whole', () => {
  const values = readChartValues(
    [
      '# About the file.',
      '',
      '# -- One.',
      'one: 1',
      'two:',
      '  # -- Of two',
      '  # lines.',
      "  three: ''",
      '  # -- A whole map.',
      '  four: {a: [1]}',
      'five:',
      '  # Not documented.',
      '  six: null',
    ].join('\n'),
  )
  expect(values).toEqual([
    { path: 'one', type: 'number', shown: '1', description: 'One.' },
    { path: 'two.three', type: 'string', shown: '""', description: 'Of two lines.' },
    { path: 'two.four', type: 'object', shown: '{"a":[1]}', description: 'A whole map.' },
    { path: 'five.six', type: 'empty', shown: 'null', description: undefined },
  ])
})

test('settings become schemas by their type', () => {
  const declared = readDeclaredSettings(paper, 'Gateway')
  expect(declared.find(one => one.name === 'LOG_LEVEL')?.type).toBe(
    'trace | debug | info | warn | error | fatal | silent',
  )
  expect(settingSchema('whole number, 3 to 200')).toEqual({ type: 'integer', minimum: 3, maximum: 200 })
  expect(settingSchema('number, 0.01 to 10')).toEqual({ type: 'number', minimum: 0.01, maximum: 10 })
  expect(settingSchema('true or false')).toEqual({ type: 'boolean' })
  expect(settingSchema('names | none')).toEqual({ enum: ['names', 'none'] })
  expect(settingSchema('comma-separated list')).toEqual({ type: 'string' })
})
