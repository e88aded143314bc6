/** A process of the load, started with the name of its program. */
import { serveCalls } from '@flotilla/testing/load'

const program = process.argv[2]
if (program === 'store') {
  const { StoreProgram } = await import('./store-program.ts')
  serveCalls(plan => new StoreProgram(plan))
} else if (program === 'people') {
  const { PeopleProgram } = await import('./people-program.ts')
  serveCalls(plan => new PeopleProgram(plan))
} else throw new Error(`unable to start the load: there is no program ${program}`)
