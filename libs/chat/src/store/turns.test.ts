import { expect, test } from 'vitest'
import { createTurns, Lines, turnsWaitingMax } from './turns.ts'

/** Work that ends when it is told to, and who has begun theirs. */
function works() {
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  return {
    begun,
    work: (name: string) => () => {
      begun.push(name)
      return new Promise<string>(resolve => ends.set(name, () => resolve(name)))
    },
    end: async (name: string) => {
      ends.get(name)!()
      await new Promise(setImmediate)
    },
  }
}

test('of one person so much is under way at a time, in order; another one waits for nothing', async () => {
  const lines = new Lines(2)
  const { begun, work, end } = works()
  const all = ['a1', 'a2', 'a3', 'a4', 'b1'].map(name => lines.run(name[0]!, work(name)))
  expect(begun).toEqual(['a1', 'a2', 'b1'])
  await end('a2')
  expect(begun).toEqual(['a1', 'a2', 'b1', 'a3'])
  for (const name of ['a1', 'a3', 'a4', 'b1']) await end(name)
  expect(await Promise.all(all)).toEqual(['a1', 'a2', 'a3', 'a4', 'b1'])
  expect(lines.size).toBe(0)
})

test('work that fails, and whoever has gone meanwhile, make room for the next', async () => {
  const lines = new Lines(1)
  const { begun, work, end } = works()
  let isWanted = true
  const failing = lines.run('a', () => Promise.reject(new Error('no')))
  const gone = lines.run('a', work('gone'), () => isWanted)
  const next = lines.run('a', work('next'))
  isWanted = false
  await expect(failing).rejects.toThrow('no')
  await expect(gone).rejects.toMatchObject({ code: 'unavailable' })
  expect(begun).toEqual(['next'])
  await end('next')
  expect(await next).toBe('next')
  expect(lines.size).toBe(0)
})

test('no more waits than may', async () => {
  const lines = new Lines(1)
  const { work, end } = works()
  const all = Array.from({ length: turnsWaitingMax + 1 }, (_, nth) => lines.run('a', work(`${nth}`)))
  await expect(lines.run('a', work('over'))).rejects.toMatchObject({
    code: 'overloaded',
    detail: { retryMs: 1_000 },
  })
  for (let nth = 0; nth <= turnsWaitingMax; nth++) await end(`${nth}`)
  expect(await Promise.all(all)).toHaveLength(turnsWaitingMax + 1)
})

test.each([
  [6, 25, 1],
  [2, 25, 1],
  [12, 25, 3],
  [10, 100, 10],
])('of a pool of %i, one person holds %i %%: %i', async (max, percent, expected) => {
  const turns = createTurns({ options: { max } } as Parameters<typeof createTurns>[0], percent)
  const { begun, work } = works()
  for (let nth = 0; nth < 20; nth++) void turns.read({ user: 'a' }, work(`${nth}`))
  expect(begun).toHaveLength(expected)
})

test('one resume of a person at a time, and what waits for it leaves room for other reads', async () => {
  const turns = createTurns({ options: { max: 8 } } as Parameters<typeof createTurns>[0], 25)
  const { begun, work, end } = works()
  for (const name of ['first', 'second', 'third']) void turns.resume({ user: 'a' }, work(name))
  void turns.read({ user: 'a' }, work('page'))
  await new Promise(setImmediate)
  expect(begun).toEqual(['first', 'page'])
  await end('first')
  expect(begun).toEqual(['first', 'page', 'second'])
})
