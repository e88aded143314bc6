/**
 * Every attack, small: each does what it must not be able to do if nothing stopped it, and nothing is asserted about speed.
 * `npm run test:attack` runs them at full size, with bystanders.
 */
import { testDatabase } from '@flotilla/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { attacks } from './attacks/all.ts'
import { breachesOf } from './report.ts'
import { runAttack } from './run.ts'
import { type Stand, startStand } from './stand.ts'

let stand: Stand
beforeAll(async () => {
  stand = await startStand({ isLong: false, database: () => testDatabase() })
})
afterAll(() => stand?.stop())

test.each(attacks.map(attack => [attack.name, attack] as const))('%s', async (_, attack) => {
  const outcome = await runAttack(attack, stand)
  expect(outcome.checks.length).toBeGreaterThan(0)
  expect(breachesOf(outcome)).toEqual([])
})
