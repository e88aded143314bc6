import { readFileSync } from 'node:fs'
import { apiDefaults, apiSettings } from '@flotilla/api'
import { expect, test } from 'vitest'
import { apiSettingsFor } from './standalone.ts'

const maxOf = (limit: unknown): unknown =>
  typeof limit === 'object' && limit !== null && 'max' in limit ? limit.max : typeof limit === 'number' ? limit : null
/** `codesPerEmail` is CODES_PER_EMAIL_MAX. */
const settingOf = (key: string) => `${key.replace(/Max$/, '').replace(/[A-Z]/g, '_$&').toUpperCase()}_MAX`

test('every limit that counts by the address alone is ten times that of the fleet, no other is, and the docs name them', () => {
  const promised = Object.entries(apiSettings)
    .filter(([, { description }]) => /^(?!Attempts).*\b(from|of) one (network )?address\b/.test(description))
    .filter(([, { description }]) => !description.includes('account'))
    .map(([name]) => name)
  const settings = apiSettingsFor('http://localhost:8080', { host: '127.0.0.1' })
  const changed = Object.entries(settings).filter(
    ([key, limit]) => maxOf(limit) !== maxOf(apiDefaults[key as keyof typeof apiDefaults]),
  )
  expect(changed.map(([key]) => settingOf(key)).sort()).toEqual(promised.sort())
  for (const [key, limit] of changed)
    expect(maxOf(limit)).toBe(10 * Number(maxOf(apiDefaults[key as keyof typeof apiDefaults])))
  const page = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8').split(
    '## Standalone',
  )[1]!
  for (const name of promised) expect(page.split('|')[0]).toContain(name)
})
