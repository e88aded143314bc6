/** A process of the load. The bench starts it with the name of a program. */
import { readCommandLine } from '@flotilla/service'
import { serveCalls } from '@flotilla/testing/load'
import { type ProgramName, programs } from './programs.ts'

const { words } = readCommandLine({
  usage: 'node apps/bench/src/load/main.ts PROGRAM',
  about: `A load process, started and driven by npm run bench: ${Object.keys(programs).join(', ')}.`,
  words: { min: 1, max: 1 },
})
serveCalls(plan => new programs[words[0] as ProgramName](plan))
