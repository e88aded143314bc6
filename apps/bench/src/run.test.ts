import { expect, test } from 'vitest'
import type { Ground } from './bed.ts'
import { noViolations, type Violations } from './load/lane.ts'
import { judge } from './run.ts'
import type { Side, Stand } from './sides/side.ts'

const ground = {} as Ground
const side = (problems: string[]): Side => ({
  name: 'the side',
  populate: () => Promise.resolve(),
  start: () => Promise.reject(new Error('not used here')),
  verify: () => Promise.resolve(problems),
})
const stand = (name: 'flotilla' | 'socketio') =>
  ({ fleet: { side: name, nodes: [], ticketKeys: '' } }) as unknown as Stand

function judged(name: 'flotilla' | 'socketio', violations: Partial<Violations>, problems: string[] = []) {
  const ending = { sent: 10, acked: 10, received: 10, violations: { ...noViolations(), ...violations } }
  return judge(ground, side(problems), stand(name), ending, true)
}

test('a run without fault counts', async () => {
  await expect(judged('flotilla', {})).resolves.toBeUndefined()
})

test.each(['lost', 'repeated', 'misplaced', 'refused', 'closed'] as const)(
  'one message %s and no run counts',
  async fault => {
    const reason = `the run on the side does not count: 1 ${fault} of 10 messages`
    await expect(judged('flotilla', { [fault]: 1 })).rejects.toThrow(reason)
    await expect(judged('socketio', { [fault]: 1 })).rejects.toThrow(reason)
  },
)

test('order counts where it is promised', async () => {
  await expect(judged('flotilla', { reordered: 1 })).rejects.toThrow('1 reordered')
  await expect(judged('socketio', { reordered: 1 })).resolves.toBeUndefined()
})

test('what the store says counts too', async () => {
  await expect(judged('flotilla', {}, ['9 rows are stored'])).rejects.toThrow('does not count: 9 rows are stored')
})
