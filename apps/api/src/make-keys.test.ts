import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readSettings } from '@flotilla/service'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { apiSettings } from './config.ts'
import { makeKeys } from './make-keys.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'flotilla-keys-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('the files are what the API wants, and are made once', () => {
  const names = ['master-keys', 'ticket-keys', 'refresh-keys', 'token-keys']
  expect(makeKeys(folder)).toEqual(names)
  const texts = () => names.map(name => readFileSync(join(folder, name), 'utf8'))
  const first = texts()
  const settings = readSettings(apiSettings, {
    DATABASE_URL: 'postgresql://host/db',
    REDIS_URL: 'redis://host',
    ...Object.fromEntries(
      names.map(name => [`${name.replace('-', '_').toUpperCase()}_FILE`, join(folder, name)] as const),
    ),
  })
  expect(settings.TOKEN_KEYS).toHaveLength(1)
  expect(settings.MASTER_KEYS).toHaveLength(1)

  rmSync(join(folder, 'ticket-keys'))
  expect(makeKeys(folder)).toEqual(['ticket-keys'])
  expect(texts().filter((text, index) => text !== first[index])).toHaveLength(1)
})
