/** Programs of the machine that tests need and not everybody has. */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Its path; or undefined, after it was said aloud what is missing and how to get it. */
export function findProgram(name: string, howToGetIt: string): string | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const file = join(folder, name)
    try {
      accessSync(file, constants.X_OK)
      return file
    } catch {
      // Not in this folder.
    }
  }
  // Straight to the terminal: a reporter may hide what skipped tests print.
  process.stderr.write(`skipped: ${name} is missing here; ${howToGetIt}\n`)
  return undefined
}

/** Prometheus and promtool come in one package. */
export const prometheusPackage = 'on Debian and Ubuntu: apt-get install prometheus'
