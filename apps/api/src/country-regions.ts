/**
 * Prints COUNTRY_REGIONS for the edge: the nearest region of every country, as `GET /v1/connect` ranks them. Two tables
 * made by hand would send the same caller two ways.
 *
 *     node apps/api/dist/country-regions.js eu:50.1:8.7,us:39:-77.5
 */
import { countriesWithPlace } from './country-places.ts'
import { nearestRegions, parseRegion } from './regions.ts'

const regions = (process.argv[2] ?? '').split(',').filter(part => part !== '')
if (regions.length === 0) {
  console.error('usage: country-regions REGIONS, as the API has them: name:latitude:longitude, comma-separated')
  process.exit(2)
}
const parsed = regions.map(parseRegion)
const rows = countriesWithPlace.map(country => `${country}=${nearestRegions(parsed, '', country)[0]}`)
console.log(rows.join(','))
