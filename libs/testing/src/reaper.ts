/**
 * Nothing that a test starts outlives the process that started it, not even when that is killed with -9. A small shell
 * holds the other end of a pipe: when the pipe closes, for whatever reason, it ends what is still on the list.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Each line is the whole list, `pid pid|folder:folder`; the last one counts. An orderly end first, then the hard one. */
const script = `
while IFS='|' read -r p f; do pids=$p; folders=$f; done
for pid in $pids; do kill -CONT "$pid"; kill -INT "$pid"; done
n=0
while [ $n -lt 20 ]; do
  left=
  for pid in $pids; do kill -0 "$pid" && left=1; done
  [ -n "$left" ] || break
  sleep 0.05
  n=$((n + 1))
done
for pid in $pids; do kill -KILL "$pid" "-$pid"; done
IFS=:
for folder in $folders; do rm -rf "$folder"; done
`

let shell: ChildProcess | undefined
const pids = new Set<number>()
const folders = new Set<string>()

function tell(): void {
  if (shell === undefined) {
    shell = spawn('/bin/sh', ['-c', script], { cwd: '/', detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
    shell.on('error', () => {})
    shell.stdin?.on('error', () => {})
    shell.unref()
    ;(shell.stdin as Socket | null)?.unref()
  }
  shell.stdin?.write(`${[...pids].join(' ')}|${[...folders].join(':')}\n`)
}

/** Ends this process when the present one is gone. */
export function hold(pid: number): void {
  pids.add(pid)
  tell()
}

/** The process has ended: its number may soon be another's. */
export function letGo(pid: number): void {
  if (pids.delete(pid)) tell()
}

/** A new folder under the system's temporary folder, removed at the latest when the present process is gone. */
export function makeFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `flotilla-${name}-`))
  folders.add(folder)
  tell()
  return folder
}

/** Removes a folder that `makeFolder` made. */
export function dropFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 })
  folders.delete(folder)
  tell()
}
