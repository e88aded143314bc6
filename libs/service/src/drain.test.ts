import { expect, test } from 'vitest'
import { drainOnSignal } from './drain.ts'
import { silentLogger } from './logger.ts'

test('the steps run once, in order, past one that fails, and the code is passed on', async () => {
  const seen: string[] = []
  const exits: number[] = []
  const end = drainOnSignal({
    logger: silentLogger,
    drainMsMax: 60_000,
    exit: code => void exits.push(code),
    steps: [
      { name: 'one', run: async () => void seen.push('one') },
      {
        name: 'two',
        run: () => {
          throw new Error('broken')
        },
      },
      { name: 'three', run: () => void seen.push('three') },
    ],
  })
  await Promise.all([end('test', 3), end('again', 4)])
  expect(seen).toEqual(['one', 'three'])
  expect(exits).toEqual([3])
})
