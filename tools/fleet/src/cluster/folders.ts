/** Folders and commands of a cluster. */
import { execFile } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

/** A folder within another. @returns its path */
export function makeFolderIn(folder: string, ...names: readonly string[]): string {
  const path = join(folder, ...names)
  mkdirSync(path, { recursive: true })
  return path
}

export interface CommandOptions {
  readonly input?: string
  /** What an error calls it. */
  readonly name?: string
  /** Where it runs. */
  readonly folder?: string
  readonly env?: Readonly<Record<string, string>>
  readonly withinMs?: number
}

const outputBytesMax = 64 * 1024 * 1024
const complaintCharsMax = 4_000

/** Runs a command to its end. @returns what it wrote; @throws Error with what it complained of */
export function runCommand(
  command: string,
  args: readonly string[],
  { name = [command, ...args].join(' '), input, folder, env = {}, withinMs = 60_000 }: CommandOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      command,
      args,
      {
        cwd: folder,
        env: { ...process.env, ...env },
        timeout: withinMs,
        killSignal: 'SIGKILL',
        maxBuffer: outputBytesMax,
        encoding: 'utf8',
      },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout)
        else {
          const said = [stderr, stdout].map(text => text.trim().slice(-complaintCharsMax)).join('\n')
          const why = error.killed === true ? `not within ${withinMs} ms` : said.trim() || error.message
          reject(new Error(`unable to run ${name}: ${why}`))
        }
      },
    )
    child.stdin?.on('error', () => {})
    child.stdin?.end(input ?? '')
  })
}

/** `--name=value` for each; an empty value is a switch. */
export function flags(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).map(([name, value]) => (value === '' ? `--${name}` : `--${name}=${value}`))
}
