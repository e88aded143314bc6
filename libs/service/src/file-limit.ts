/**
 * How many files, and so sockets, this process may have open. Whoever takes connections leaves some: at the limit nothing
 * is accepted any more, the operator port and the probe of liveness included, and no store is reached again.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { platform } from 'node:os'

/** For the operator port, Redis, the log, look-ups of names, a file that is read; connections to PostgreSQL come on top. */
const filesReserved = 150

/** The limit in force; Node has raised it to the hard one at its start. @returns undefined when nobody tells */
export function fileLimit(): number | undefined {
  const told = platform() === 'linux' ? fromProc() : fromShell()
  return told === 'unlimited' ? Number.POSITIVE_INFINITY : /^\d+$/.test(told) ? Number(told) : undefined
}

function fromProc(): string {
  try {
    return /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? ''
  } catch {
    return ''
  }
}

const fromShell = () => spawnSync('/bin/sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).stdout?.trim() ?? ''

/**
 * The sockets that a process may take from outside.
 * @param filesEach that one of them takes
 */
export function socketsMax(databaseConnectionsMax: number, filesEach = 1, limit = fileLimit()): number {
  const left = (limit ?? Number.POSITIVE_INFINITY) - filesReserved - databaseConnectionsMax
  return Math.max(0, Math.floor(left / filesEach))
}

/**
 * @param name of the setting that says how many are wanted
 * @throws Error with the rule, when the limit does not let so many in
 */
export function checkFileLimit(
  name: string,
  wanted: number,
  databaseConnectionsMax: number,
  limit = fileLimit(),
): void {
  const most = socketsMax(databaseConnectionsMax, 1, limit)
  if (wanted > most)
    throw new Error(
      `unable to start: ${name} is ${wanted}, but a file limit of ${limit} allows at most ${most}. Raise the limit (ulimit -n, LimitNOFILE=, --ulimit nofile=…), or lower ${name}`,
    )
}
