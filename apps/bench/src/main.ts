/** The command `npm run bench -- <scenario…>`: builds, runs the scenarios one after the other, prints and writes down. */
import { execFileSync } from 'node:child_process'
import { readCommandLine } from '@flotilla/service'
import { describeMachine, projectFolder } from '@flotilla/testing/load'
import type { Bench, Scenario } from './bench.ts'
import { checkOut } from './checkout.ts'
import { renderReport, writePage } from './page.ts'
import { pinned } from './placement.ts'
import { scenarios } from './scenarios.ts'
import { regress } from './scenarios/regress.ts'
import { flotilla, flotillaOf } from './sides/flotilla.ts'

const { flags, values, words } = readCommandLine({
  usage: 'npm run bench -- <scenario…>',
  about: `Builds, runs the scenarios one after the other, and prints and records the results.\nScenarios: ${scenarios.map(one => one.name).join(', ')}; or all. regress measures the working tree next to another commit.`,
  options: {
    seconds: { value: 'N', about: 'measured time of a slice (5; for regress 2)' },
    runs: { value: 'N', about: 'slices of each side; the sides take turns (5; for regress 30)' },
    against: { value: 'COMMIT', about: 'for regress: the commit to compare the working tree with (HEAD)' },
    margin: { value: 'N', about: 'for regress: percent that it may cost more before the exit code is 1 (5)' },
    short: { about: 'smoke test that takes seconds; the figures are not worth keeping' },
    source: { about: 'run the gateways from source instead of building them first' },
    write: { about: 'write the figures to docs/benchmarks.md; always with all, never with --short' },
    json: { about: 'print all measurements instead of tables' },
  },
  words: { min: 1, max: scenarios.length },
})

function fail(reason: string): never {
  console.error(`unable to start: ${reason}. --help says more.`)
  process.exit(2)
}

function readCount(name: string, text: string | undefined, fallback: number): number {
  const count = text === undefined ? fallback : Number(text)
  if (!Number.isInteger(count) || count < 1) fail(`--${name} must be a whole number from 1 on`)
  return count
}

function choose(names: readonly string[]): readonly Scenario[] {
  if (names.includes('all')) return scenarios
  if (names.includes('regress')) return [names.length === 1 ? chooseRegress() : fail('regress runs alone')]
  return names.map(name => scenarios.find(one => one.name === name) ?? fail(`there is no scenario ${name}`))
}

/** Both sides run from their sources, so that neither has a build that the other lacks. */
function chooseRegress(): Scenario {
  const { folder, commit } = checkOut(values['against'] ?? 'HEAD')
  return regress({ side: flotillaOf(folder, commit), commit }, readCount('margin', values['margin'], 5))
}

/**
 * What a slice costs scatters by a quarter on a shared machine. Of four pairs of 5 s the median was 0.78 in one run and 1.21 in
 * another, of the same two commits; of thirty pairs of 2 s it says what is 5 % apart.
 */
const many = { seconds: 2, runs: 30 }

const short = flags.has('short')
const isRegress = words.includes('regress')
const fromSource = flags.has('source') || isRegress
const chosen = choose(words)
const bench: Bench = {
  seconds: readCount('seconds', values['seconds'], short ? 2 : isRegress ? many.seconds : 5),
  warmSeconds: short ? 1 : 30,
  runs: readCount('runs', values['runs'], short ? 1 : isRegress ? many.runs : 5),
  short,
  fromSource,
  flotilla: flotilla(fromSource),
  say: line => console.error(line),
}
if (!fromSource)
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
const writes = (flags.has('write') || words.includes('all')) && !short && !isRegress
const raw: Record<string, unknown> = { machine: { ...machine, pinned }, command }
let failed = false
for (const scenario of chosen) {
  bench.say(`${scenario.name}: ${scenario.title}`)
  try {
    const report = await scenario.run(bench)
    raw[scenario.name] = report.raw
    const part = renderReport(scenario, report, command, machine)
    if (!flags.has('json')) console.log(`\n## ${scenario.title}\n\n${part}`)
    if (writes) writePage(scenario, part)
    if (scenario.name === 'regress') failed ||= report.targets.some(target => !target.met)
  } catch (error) {
    failed = true
    console.error(`${scenario.name} failed:`, error)
  }
}
if (flags.has('json')) console.log(JSON.stringify(raw, null, 2))
process.exitCode = failed ? 1 : 0
