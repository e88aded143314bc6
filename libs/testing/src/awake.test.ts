import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { watchAwake } from './awake.ts'

test('time passes while the process runs, and hardly any while it stands still', async () => {
  const awake = watchAwake()
  for (let nth = 0; nth < 20; nth++) await pause(20)
  const ran = awake.ms()
  expect(ran).toBeGreaterThan(300)
  for (const end = performance.now() + 2_000; performance.now() < end; );
  expect(awake.ms() - ran).toBeLessThanOrEqual(100)
  awake.stop()
})
