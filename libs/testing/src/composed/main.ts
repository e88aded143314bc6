/**
 * `npm run test:faults`: the fault tests, large and long, or with `composed` the faults of seeds, composed at random.
 * Ends with 0 when no promise was broken.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { readCommandLine } from '@flotilla/service'
import { projectRoot } from '../fleet.ts'
import { openOldVersion, versionBefore } from '../old-version.ts'
import { type ComposedReport, runComposed } from './composed.ts'
import { describeFault, planFaults } from './plan.ts'

const say = (line: string) => void process.stdout.write(`${line}\n`)

async function main(args: readonly string[]): Promise<number> {
  // What is for the test runner is for it to read.
  if (args[0] !== 'composed' && !args.includes('--help')) return runTests(args)
  const { values, flags } = readCommandLine({
    usage: 'npm run test:faults -- [composed [--seed N] [--seconds N] [--seeds N] [--plan] | what vitest takes]',
    about:
      'Runs the fault tests at full size. With `composed` it runs faults drawn from a seed and checks what every client saw.',
    options: {
      seed: { value: 'N', about: 'the first seed (default: random)' },
      seconds: { value: 'N', about: 'length of each run (60)' },
      seeds: { value: 'N', about: 'number of runs, one after the other (1)' },
      plan: { about: 'only print the faults of the seeds' },
    },
    words: { min: 0, max: 1 },
  })
  const { seed = String(Math.floor(Math.random() * 1_000_000)), seconds = '60', seeds = '1' } = values
  const [first, length, count] = [seed, seconds, seeds].map(Number) as [number, number, number]
  if (![first, length, count].every(number => Number.isSafeInteger(number) && number >= 0)) {
    process.stderr.write('unable to start: seed, seconds and seeds must be whole numbers\n')
    return 2
  }
  const all = Array.from({ length: count }, (_, nth) => first + nth)
  if (!flags.has('plan')) return runSeeds(all, length)
  for (const one of all) say([`seed ${one}`, ...planFaults(one, length).map(describeFault)].join('\n'))
  return 0
}

async function runSeeds(seeds: readonly number[], seconds: number): Promise<number> {
  const root = projectRoot()
  const opened = openOldVersion(root, versionBefore)
  const former = typeof opened === 'string' ? undefined : opened
  if (typeof opened === 'string') say(`skipped: no version before this one to run beside it: ${opened}`)
  const broken: number[] = []
  try {
    for (const seed of seeds) {
      const keepIn = join(root, '.cache', 'composed', `seed-${seed}`)
      say(`seed ${seed}, ${seconds} s`)
      try {
        const report = await runComposed({ seed, seconds, former, keepIn, say })
        tell(report, keepIn)
        if (report.violations.length > 0) broken.push(seed)
      } catch (error) {
        say(`seed ${seed}: unable to run: ${error instanceof Error ? error.stack : String(error)}`)
        broken.push(seed)
      }
    }
  } finally {
    former?.drop()
  }
  say(`${seeds.length - broken.length} of ${seeds.length} seeds without a violation`)
  if (broken.length > 0) say(`broken: ${broken.join(', ')}`)
  return broken.length === 0 ? 0 : 1
}

function tell({ seed, violations, counts, faults, settledMs }: ComposedReport, keptIn: string): void {
  say(
    `seed ${seed}: ${faults.length} faults, settled after ${(settledMs / 1_000).toFixed(1)} s, ${violations.length} violations`,
  )
  say(
    `  ${Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')}`,
  )
  for (const { promise, what } of violations) say(`  ${promise}: ${what}`)
  if (violations.length > 0) say(`  kept in ${keptIn}`)
}

/** @returns the exit code of the test runner */
function runTests(args: readonly string[]): Promise<number> {
  const vitest = join(projectRoot(), 'node_modules', 'vitest', 'vitest.mjs')
  const child = spawn(process.execPath, [vitest, 'run', '--project', 'faults', ...args], {
    stdio: 'inherit',
    env: { ...process.env, FAULTS: 'long' },
  })
  return new Promise(resolve => child.on('exit', code => resolve(code ?? 1)))
}

const code = await main(process.argv.slice(2))
// Sockets that were broken off in the middle may keep their handles for minutes.
process.stdout.write('', () => process.exit(code))
