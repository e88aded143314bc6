/** The load on a few plain processes: it tells a gateway that lets its clients go one by one from one that drops them. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loseGateway } from '../scenarios/losses.ts'
import { scaleIn } from '../scenarios/moves.ts'
import { startProcessStand } from './process-stand.ts'
import type { Stand } from './stand.ts'

const scale = {
  people: 60,
  groupSize: 10,
  messagesPerSecond: 40,
  processes: 2,
  connectsPerSecond: 200,
  reconnectShareMax: 0.1,
}

let stand: Stand
beforeAll(async () => {
  stand = await startProcessStand({ gateways: 3, drainMs: 20_000 })
})
afterAll(() => stand?.stop())

/** What was found of a promise, by a word of it. */
const targetOf = (report: Awaited<ReturnType<typeof scaleIn>>, word: string) =>
  report.targets.find(({ promise }) => promise.includes(word))

test('a drain is seen as a drain, and a kill as a cut of all at once', async () => {
  const drained = await scaleIn(stand, scale, 2)
  expect(targetOf(drained, 'violation')).toMatchObject({ met: true })
  expect(targetOf(drained, 'comes back')).toMatchObject({ met: true })
  const killed = await loseGateway(stand, scale)
  expect(targetOf(killed, 'violation')).toMatchObject({ met: true })
  expect(targetOf(killed, 'comes back')).toMatchObject({ met: true })
  // Of three gateways one went in twenty seconds, of two one in no time. No clock is that slow.
  const [slow, fast] = [drained, killed].map(report => (report.raw as { figures: { leaveShareMax: number } }).figures)
  expect(slow!.leaveShareMax).toBeLessThan(0.2)
  expect(fast!.leaveShareMax).toBeGreaterThan(0.3)
}, 180_000)
