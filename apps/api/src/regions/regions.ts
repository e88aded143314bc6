/**
 * Which region is near to a caller: the country of the address, its place on the globe, the distance to each region.
 * Coarse on purpose: it only has to pick among a handful of data centres, and the client measures for itself.
 */
import { accessSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { coordinatesOfCountry, type Coordinates } from './country-places.ts'

export interface Region extends Coordinates {
  readonly name: string
}

/** Parses `name:latitude:longitude`. @throws Error with the rule that is broken */
export function parseRegion(text: string): Region {
  const [name, latitude, longitude, more] = text.split(':')
  const [lat, lon] = [Number(latitude), Number(longitude)]
  const good = latitude !== undefined && longitude !== undefined && more === undefined
  if (!good || !/^[\w-]{1,32}$/.test(name ?? '') || !(Math.abs(lat) <= 90) || !(Math.abs(lon) <= 180))
    throw new Error('must be name:latitude:longitude, comma-separated')
  return { name: name ?? '', lat, lon }
}

const radians = Math.PI / 180

/** The part of a great circle between two places that grows with the distance. */
function apart(a: Coordinates, b: Coordinates): number {
  const [dLat, dLon] = [(b.lat - a.lat) * radians, (b.lon - a.lon) * radians]
  return Math.sin(dLat / 2) ** 2 + Math.cos(a.lat * radians) * Math.cos(b.lat * radians) * Math.sin(dLon / 2) ** 2
}

/**
 * The names of the regions for a caller, the nearest first.
 * @param home where this process runs; it comes first for a caller whose place is not known
 */
export function nearestRegions(regions: readonly Region[], home: string, country: string | undefined): string[] {
  const from = country === undefined ? undefined : coordinatesOfCountry(country)
  if (from === undefined) return [...new Set([home, ...regions.map(region => region.name)])]
  return [...regions].sort((a, b) => apart(from, a) - apart(from, b)).map(region => region.name)
}

/** Answers the country of an address, in two capital letters. */
export type CountryOf = (address: string) => string | undefined

const countryFiles = ['geoip-country.dat', 'geoip-country6.dat']

interface GeoipLite {
  lookup(address: string): { readonly country: string } | null
}

/**
 * Loads geoip-lite with its country files only: 14 MB in memory, in 10 ms. With its files of cities it would take 160 MB,
 * and it loads whatever its folder has; so it is given a folder that has no more.
 * @param folder holds newer country files; those of the package when undefined
 */
export function loadCountries(folder: string | undefined): CountryOf {
  const require = createRequire(import.meta.url)
  const data = folder ?? join(dirname(require.resolve('geoip-lite/package.json')), 'data')
  const narrow = mkdtempSync(join(tmpdir(), 'flotilla-geo-'))
  try {
    for (const file of countryFiles) {
      accessSync(join(data, file))
      symlinkSync(resolve(data, file), join(narrow, file))
    }
    // The package reads its folder from this global, once, while it is loaded.
    Object.assign(globalThis, { geodatadir: narrow })
    const geo = require('geoip-lite') as GeoipLite
    return address => geo.lookup(address)?.country || undefined
  } catch (error) {
    throw new Error(`unable to load the countries of addresses: ${String(error)}`, { cause: error })
  } finally {
    Object.assign(globalThis, { geodatadir: undefined })
    rmSync(narrow, { recursive: true, force: true })
  }
}
