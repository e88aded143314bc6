import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { countriesWithPlace, coordinatesOfCountry } from './country-places.ts'
import { loadCountries, nearestRegions, parseRegion } from './regions.ts'

const regions = ['eu:50.1:8.7', 'us:39:-77.5', 'asia:1.3:103.8'].map(parseRegion)

test.each([
  ['DE', 'eu'],
  ['MA', 'eu'],
  ['CA', 'us'],
  ['BR', 'us'],
  ['AU', 'asia'],
  ['JP', 'asia'],
  // Over the date line: the short way round counts.
  ['FJ', 'asia'],
])('from %s the nearest region is %s', (country, region) => {
  expect(nearestRegions(regions, 'eu', country)[0]).toBe(region)
})

test('whoever cannot be placed gets the region of the API first, and all the others after it', () => {
  for (const country of [undefined, 'ZZ', ''])
    expect(nearestRegions(regions, 'asia', country)).toEqual(['asia', 'eu', 'us'])
})

test.each([['eu'], ['eu:1'], ['eu:x:1'], ['eu:91:0'], ['eu:0:181'], [':1:1'], ['e u:1:1'], ['eu:1:1:1']])(
  'the region %s is refused',
  text => {
    expect(() => parseRegion(text)).toThrow(/must be name:latitude:longitude/)
  },
)

test('every country has a place on the globe', () => {
  // Countries that ISO 3166 has; the ones of each continent that a table is likely to miss.
  for (const country of ['DE', 'US', 'IN', 'CN', 'BR', 'NG', 'ID', 'PK', 'BD', 'RU', 'MX', 'ET', 'XK', 'AX', 'ZW'])
    expect(coordinatesOfCountry(country), country).toMatchObject({ lat: expect.any(Number), lon: expect.any(Number) })
})

test('the country of an address is found with the country files alone', () => {
  const countryOf = loadCountries(undefined)
  expect(countryOf('8.8.8.8')).toBe('US')
  expect(countryOf('2001:4860:4860::8888')).toBe('US')
  expect(countryOf('::ffff:8.8.8.8')).toBe('US')
  for (const address of ['127.0.0.1', '10.0.0.1', '::1', 'nonsense', '']) expect(countryOf(address)).toBeUndefined()
})

test('a folder without the files says so', () => {
  expect(() => loadCountries('/nonexistent')).toThrow(/unable to load the countries/)
})

test('the table for the edge has the nearest region of every country, and wrong regions print none', () => {
  const tool = fileURLToPath(new URL('country-regions.ts', import.meta.url))
  const print = (...args: readonly string[]) =>
    spawnSync(process.execPath, ['--conditions=source', tool, ...args], { encoding: 'utf8' })
  const rows = print('eu:50.1:8.7,us:39:-77.5,asia:1.3:103.8').stdout.trim().split(',')
  expect(rows).toEqual(countriesWithPlace.map(country => `${country}=${nearestRegions(regions, 'eu', country)[0]}`))
  expect(rows).toContain('JP=asia')
  expect(rows.length).toBeGreaterThan(240)
  expect(print().status).toBe(2)
  expect(print('eu').status).toBe(1)
})
