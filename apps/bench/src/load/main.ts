/** A process of the load. The bench starts it with the name of a program. */
import { serveCalls } from '@flotilla/testing/load'
import { type ProgramName, programs } from './programs.ts'

serveCalls(plan => new programs[process.argv[2] as ProgramName](plan))
