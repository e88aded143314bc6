/** What figures were measured on: without it they mean nothing. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem, type } from 'node:os'
import { fileURLToPath } from 'node:url'

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGb: number
  readonly system: string
  readonly node: string
  readonly commit: string
  readonly date: string
  /** Files that one process may open. */
  readonly filesMax: number
}

export const projectFolder = fileURLToPath(new URL('../../..', import.meta.url))

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release().split('.').slice(0, 2).join('.')}`,
    node: process.version,
    commit: commit(),
    date: new Date().toISOString().slice(0, 10),
    filesMax: filesMax(),
  }
}

/** `2026-11-21, commit 2473984. AMD EPYC, 2 cores, …` */
export const showMachine = (machine: Machine): string =>
  `${machine.date}, commit ${machine.commit}. ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ` +
  `${machine.system}, Node ${machine.node}`

/** The commit, marked when the tree holds changes that are not in it. */
function commit(): string {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: projectFolder, encoding: 'utf8' }).trim()
  try {
    const changed = git('status', '--porcelain', '--', 'apps', 'libs', 'migrations', 'docker', 'helm') !== ''
    return git('rev-parse', '--short', 'HEAD') + (changed ? ' with changes' : '')
  } catch {
    return 'unknown'
  }
}

export function filesMax(): number {
  const limit = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1]
  return Number(limit ?? 1_024)
}
