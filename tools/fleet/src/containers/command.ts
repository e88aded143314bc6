/** Commands that tests run and wait for. */
import { spawn } from 'node:child_process'

export interface CommandOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly withinMs?: number
}

const outputBytesMax = 64 * 1024 * 1024
const shownCharactersMax = 4_000

/**
 * Runs a command to its end.
 * @returns what it wrote to its standard output
 * @throws Error with the last of what it wrote, when it fails or takes too long
 */
export function runCommand(command: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { withinMs = 60_000 } = options
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: withinMs,
    })
    let [output, all, bytes] = ['', '', 0]
    const take = (text: string, isOutput: boolean) => {
      bytes += text.length
      if (bytes > outputBytesMax) child.kill()
      if (isOutput) output += text
      all = (all + text).slice(-shownCharactersMax)
    }
    child.stdout.setEncoding('utf8').on('data', (text: string) => take(text, true))
    child.stderr.setEncoding('utf8').on('data', (text: string) => take(text, false))
    child.on('error', error => reject(new Error(`unable to run ${command}: ${error.message}`, { cause: error })))
    child.on('close', (code, signal) => {
      if (code === 0) resolve(output)
      else
        reject(
          new Error(`unable to run ${command} ${args.join(' ')}: it ended with ${code ?? signal ?? 'nothing'}\n${all}`),
        )
    })
  })
}

/** Whether a command ends well. */
export async function succeeds(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<boolean> {
  return runCommand(command, args, options).then(
    () => true,
    () => false,
  )
}
