/** The command `npm run test:attack`: attacks a fleet at full size, measures bystanders, and tells what held. */
import { existsSync, readdirSync } from 'node:fs'
import { constants, getPriority, setPriority } from 'node:os'
import { readCommandLine } from '@flotilla/service'
import { freshDatabase, startPostgres } from '@flotilla/testing'
import { describeMachine } from '@flotilla/testing/load'
import type { Attack } from './attack.ts'
import { attacks } from './attacks/all.ts'
import { startBystanders } from './bystanders.ts'
import { breachesOf, renderReport, writePage } from './report.ts'
import { type Outcome, runAttack } from './run.ts'
import { startStand } from './stand.ts'

const { flags, values, words } = readCommandLine({
  usage: 'npm run test:attack -- [<attack…>]',
  about: `Attacks a fleet of processes and reports what held, what bystanders noticed, and how much memory it took.\nAttacks: ${attacks.map(one => one.name).join(', ')}; default: all.`,
  options: {
    short: { about: 'run them at the size of npm test, without bystanders' },
    root: { value: 'DIR', about: 'attack another checkout, with its packages installed: a commit before a fix' },
    write: { about: 'write the results to docs/attacks.md; never with --short, --root or a name' },
  },
  words: { min: 0, max: attacks.length },
})

function fail(reason: string): never {
  console.error(`unable to start: ${reason}. See --help.`)
  process.exit(2)
}

/** A tenth of the time of whoever else wants the same core. */
const backNiceness = 10

/**
 * From here on this process, which is the attacker, runs when nothing else wants to: bystanders notice what the fleet does for
 * it, and not that it shares their cores.
 */
function stepBack(): void {
  const threads = existsSync('/proc/self/task') ? readdirSync('/proc/self/task').map(Number) : [0]
  const niceness = Math.min(constants.priority.PRIORITY_LOW, getPriority() + backNiceness)
  for (const thread of threads) setPriority(thread, niceness)
}

const choose = (name: string): Attack => attacks.find(one => one.name === name) ?? fail(`there is no attack ${name}`)

const chosen = words.length === 0 ? attacks : words.map(choose)
const isLong = !flags.has('short')
const postgres = await startPostgres({ durable: isLong })
const outcomes: Outcome[] = []
const failed: string[] = []
try {
  const startedAt = performance.now()
  const stand = await startStand({ isLong, database: () => freshDatabase(postgres.url), root: values['root'] })
  try {
    console.error(`started in ${Math.round(performance.now() - startedAt)} ms`)
    const bystanders = isLong ? await startBystanders(stand) : undefined
    stepBack()
    for (const attack of chosen) {
      console.error(`${attack.name}: ${attack.by} tries ${attack.tries}`)
      try {
        const outcome = await runAttack(attack, stand, bystanders)
        outcomes.push(outcome)
        console.error(`  ${outcome.seconds.toFixed(1)} s, ${outcome.checks.length} checks`)
        for (const breach of breachesOf(outcome)) console.error(`  fell: ${breach}`)
      } catch (error) {
        failed.push(attack.name)
        console.error(`${attack.name} could not be tried:`, error)
      }
    }
    await bystanders?.stop()
  } finally {
    await stand.stop()
  }
} finally {
  await postgres.drop()
}
const given = process.argv.slice(2)
const command = ['npm run test:attack', ...(given.length > 0 ? ['--', ...given] : [])].join(' ')
const part = renderReport(outcomes, command, describeMachine())
console.log(`\n${part}`)
// A page that passes an attack over would say that it holds.
const isWhole = isLong && words.length === 0 && failed.length === 0 && values['root'] === undefined
if (flags.has('write') && isWhole) writePage(part)
const code = failed.length > 0 || outcomes.some(outcome => breachesOf(outcome).length > 0) ? 1 : 0
// Sockets that were broken off in the middle may keep their handles for minutes.
process.stdout.write('', () => process.exit(code))
