/**
 * Which core a process runs on. All servers of a side share core 0 and the load has core 1, so that both sides get the
 * same and the load takes nothing from them. Without `taskset` or a second core the scheduler decides, and the report
 * says so.
 */
import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'

export const serverCore = 0
export const loadCore = 1

/** Whether processes are pinned on this machine. */
export const pinned =
  availableParallelism() >= 2 && spawnSync('taskset', ['--version'], { stdio: 'ignore' }).status === 0

/** What is put before a command to run it on a core. */
export function onCore(core: number): readonly string[] {
  return pinned ? ['taskset', '-c', String(core)] : []
}
