import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dropFolder, makeFolder } from '@flotilla/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadKeys } from './keys.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = makeFolder('keys')
  file = join(folder, 'keys.json')
})
afterEach(() => dropFolder(folder))

test('keys are made once, for their owner alone, and found again', () => {
  const made = loadKeys(folder, true)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(loadKeys(folder, false)).toEqual(made)
  const sets = [made.master, made.ticket, made.refresh].map(([key]) => `${key?.id} ${key?.key.toString('hex')}`)
  expect(new Set(sets).size).toBe(3)
})

test('without keys there is no start on data that need them', () => {
  loadKeys(folder, true)
  rmSync(file)
  expect(() => loadKeys(folder, false)).toThrow('keys.json is missing')
})

test('a broken file is named, and no key is shown', () => {
  loadKeys(folder, true)
  const keys = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>
  writeFileSync(file, JSON.stringify({ ...keys, MASTER_KEYS: 'k1:c2hvcnQ=' }))
  expect(() => loadKeys(folder, false)).toThrow(`unable to read ${file}`)
  expect(() => loadKeys(folder, false)).not.toThrow('c2hvcnQ=')
  writeFileSync(file, '{')
  expect(() => loadKeys(folder, false)).toThrow(`unable to read ${file}`)
})
