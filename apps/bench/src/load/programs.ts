/** What a process of the load can do, by name. */
import { Bare } from './bare.ts'
import { DirectFlow } from './direct.ts'
import { GroupFlow } from './group.ts'
import { IdleCrowd } from './idle.ts'
import { Jitter } from './jitter.ts'
import { Pages } from './pages.ts'
import { SignIns } from './sign-ins.ts'
import { Storm } from './storm.ts'

export const programs = {
  bare: Bare,
  direct: DirectFlow,
  group: GroupFlow,
  idle: IdleCrowd,
  jitter: Jitter,
  pages: Pages,
  signIns: SignIns,
  storm: Storm,
} as const

export type Programs = typeof programs
export type ProgramName = keyof Programs
