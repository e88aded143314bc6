/** The bench's side of a process of the load. */
import { fileURLToPath } from 'node:url'
import { type Remote, startRemote } from '@flotilla/testing/load'
import { onCore } from '../placement.ts'
import type { ProgramName, Programs } from './programs.ts'

export type Load<N extends ProgramName> = Remote<InstanceType<Programs[N]>>

/** Starts a process with a program and its plan. */
export const startLoad = <N extends ProgramName>(
  name: N,
  plan: ConstructorParameters<Programs[N]>[0],
  core: number,
): Promise<Load<N>> =>
  startRemote({
    name: `of the load ${name}`,
    main: fileURLToPath(new URL('./main.ts', import.meta.url)),
    args: [name],
    launcher: onCore(core),
    plan,
  })
