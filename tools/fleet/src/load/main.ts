/** A process of the load, started with the name of its program. */
import { readCommandLine } from '@flotilla/service'
import { serveCalls } from '@flotilla/testing/load'

const { words } = readCommandLine({
  usage: 'node tools/fleet/src/load/main.ts PROGRAM',
  about: 'A load process, started and driven by npm run test:fleet: store, people.',
  words: { min: 1, max: 1 },
})
const [program] = words
if (program === 'store') {
  const { StoreProgram } = await import('./store-program.ts')
  serveCalls(plan => new StoreProgram(plan))
} else if (program === 'people') {
  const { PeopleProgram } = await import('./people-program.ts')
  serveCalls(plan => new PeopleProgram(plan))
} else throw new Error(`unable to start the load: there is no program ${program}`)
