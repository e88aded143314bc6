/** The command `npm run bench -- <scenario…>`: builds, runs the scenarios one after the other, prints and writes down. */
import { execFileSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { describeMachine, projectFolder } from '@flotilla/testing/load'
import type { Bench, Scenario } from './bench.ts'
import { renderReport, writePage } from './page.ts'
import { pinned } from './placement.ts'
import { direct } from './scenarios/direct.ts'
import { directOpen } from './scenarios/direct-open.ts'
import { group } from './scenarios/group.ts'
import { idle } from './scenarios/idle.ts'
import { jitter } from './scenarios/jitter.ts'
import { persist } from './scenarios/persist.ts'
import { signIns } from './scenarios/sign-ins.ts'
import { storm } from './scenarios/storm.ts'
import { flotilla } from './sides/flotilla.ts'

const scenarios: readonly Scenario[] = [direct, directOpen, persist, idle, group, storm, jitter, signIns]

const usage = `npm run bench -- <scenario…>

  scenarios: ${scenarios.map(one => one.name).join(', ')}; or all

  --seconds n   the measured time of a run (10)
  --runs n      how often each side runs; the sides take turns (3)
  --short       a trial that everything works, in seconds; no figures worth keeping
  --source      runs the gateways from their sources instead of building them first
  --write       writes the figures into docs/benchmarks.md; with all it is always done, with --short never
  --json        prints all that was measured instead of tables`

function fail(reason: string): never {
  console.error(`${reason}\n\n${usage}`)
  process.exit(2)
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        seconds: { type: 'string' },
        runs: { type: 'string' },
        short: { type: 'boolean', default: false },
        source: { type: 'boolean', default: false },
        write: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
}

function readCount(name: string, text: string | undefined, fallback: number): number {
  const count = text === undefined ? fallback : Number(text)
  if (!Number.isInteger(count) || count < 1) fail(`--${name} must be a whole number from 1 on`)
  return count
}

function choose(names: readonly string[]): readonly Scenario[] {
  if (names.includes('all')) return scenarios
  if (names.length === 0) fail('no scenario is named')
  return names.map(name => scenarios.find(one => one.name === name) ?? fail(`there is no scenario ${name}`))
}

const { values, positionals } = readArguments()
if (values.help) {
  console.log(usage)
  process.exit(0)
}
const chosen = choose(positionals)
const bench: Bench = {
  seconds: readCount('seconds', values.seconds, values.short ? 2 : 10),
  warmSeconds: values.short ? 1 : 10,
  runs: readCount('runs', values.runs, values.short ? 1 : 3),
  short: values.short,
  fromSource: values.source,
  flotilla: flotilla(values.source),
  say: line => console.error(line),
}
if (!values.source)
  execFileSync(
    'npm',
    ['run', 'build', '--silent', '--', '--filter=@flotilla/gateway...', '--filter=@flotilla/api...'],
    {
      cwd: projectFolder,
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  )

const command = `npm run bench -- ${process.argv.slice(2).join(' ')}`
const machine = describeMachine()
const writes = (values.write || positionals.includes('all')) && !values.short
const raw: Record<string, unknown> = { machine: { ...machine, pinned }, command }
let failed = false
for (const scenario of chosen) {
  bench.say(`${scenario.name}: ${scenario.title}`)
  try {
    const report = await scenario.run(bench)
    raw[scenario.name] = report.raw
    const part = renderReport(scenario, report, command, machine)
    if (!values.json) console.log(`\n## ${scenario.title}\n\n${part}`)
    if (writes) writePage(scenario, part)
  } catch (error) {
    failed = true
    console.error(`${scenario.name} failed:`, error)
  }
}
if (values.json) console.log(JSON.stringify(raw, null, 2))
process.exitCode = failed ? 1 : 0
