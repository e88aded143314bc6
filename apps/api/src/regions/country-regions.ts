/**
 * Prints COUNTRY_REGIONS for the edge: the nearest region of every country, as `GET /v1/connect` ranks them. Two tables
 * made by hand would send the same caller two ways.
 *
 *     node apps/api/dist/country-regions.js eu:50.1:8.7,us:39:-77.5
 */
import { readCommandLine } from '@flotilla/service'
import { countriesWithPlace } from './country-places.ts'
import { nearestRegions, parseRegion } from './regions.ts'

const { words } = readCommandLine({
  usage: 'node apps/api/dist/country-regions.js REGIONS',
  about:
    'Prints COUNTRY_REGIONS for the edge. REGIONS are as the API has them: name:latitude:longitude, comma-separated.',
  words: { min: 1, max: 1 },
  settings: 'API',
})
const parsed = (words[0] ?? '').split(',').map(parseRegion)
const rows = countriesWithPlace.map(country => `${country}=${nearestRegions(parsed, '', country)[0]}`)
console.log(rows.join(','))
