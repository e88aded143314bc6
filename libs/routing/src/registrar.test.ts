/** Whatever comes, goes and fails: after a restore the store has exactly what is here. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createRegistrar } from './registrar.ts'
import { type Kind, kinds, type Whereabouts } from './whereabouts.ts'
import { createMemoryWhereabouts } from './whereabouts-memory.ts'

/** Writes fail before or after they took effect, as asked for. */
function fragile(whereabouts: Whereabouts) {
  const faults: ('before' | 'after')[] = []
  const wrap =
    <A extends unknown[], R>(write: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      const fault = faults.shift()
      await new Promise(resolve => setImmediate(resolve))
      if (fault === 'before') throw new Error('unable to write: away')
      const answer = await write(...args)
      if (fault === 'after') throw new Error('unable to write: the answer was lost')
      return answer
    }
  const store: Whereabouts = {
    ...whereabouts,
    enter: wrap((...args: Parameters<Whereabouts['enter']>) => whereabouts.enter(...args)),
    leave: wrap((...args: Parameters<Whereabouts['leave']>) => whereabouts.leave(...args)),
  }
  return { store, faults }
}

async function entered(whereabouts: Whereabouts, place: string): Promise<string[]> {
  const names: string[] = []
  for await (const chunk of whereabouts.entries(place))
    for (const { kind, name } of chunk) names.push(`${kind} ${name}`)
  return names.sort()
}

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom<Kind>('presence', 'watch', 'interest'),
      names: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1 }),
      isHere: fc.boolean(),
      isAwaited: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ fault: fc.constantFrom<'before' | 'after'>('before', 'after') }) },
  { weight: 2, arbitrary: fc.record({ restoreAt: fc.constantFrom('node:1', 'node:2') }) },
)

test('any order of changes, failures and restores ends with a store that agrees', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async steps => {
      const memory = createMemoryWhereabouts()
      const { store, faults } = fragile(memory)
      const registrar = createRegistrar({ whereabouts: store, chunkMax: 2, onPerson() {}, onFailure() {} })
      const waiting: Promise<unknown>[] = []
      const here = new Set<string>()
      for (const step of steps) {
        if ('fault' in step) faults.push(step.fault)
        else if ('restoreAt' in step) await registrar.restore(step.restoreAt).catch(() => {})
        else {
          const { kind, names, isHere, isAwaited } = step
          for (const name of names) here[isHere ? 'add' : 'delete'](`${kind} ${name}`)
          const done = registrar.set(kind, names, isHere)
          if (isAwaited) await done
          else waiting.push(done)
        }
      }
      // Nobody waits for ever.
      await Promise.all(waiting)
      faults.length = 0
      await registrar.restore('node:3')
      expect(await entered(memory, 'node:3')).toEqual([...here].sort())
      for (const kind of kinds)
        for (const name of registrar.names(kind)) expect(await memory.find(kind, [name])).toEqual([['node:3']])
      await registrar.clear()
      expect(await entered(memory, 'node:3')).toEqual([])
    }),
    { numRuns: 150 },
  )
})

test('an entry is in force when its promise resolves, also for whoever asks a second time', async () => {
  const memory = createMemoryWhereabouts()
  const { store } = fragile(memory)
  const registrar = createRegistrar({ whereabouts: store, chunkMax: 2, onPerson() {}, onFailure() {} })
  await registrar.restore('node:1')
  const people = ['a', 'b', 'c', 'd', 'e']
  const first = registrar.set('presence', people, true)
  const second = registrar.set('presence', ['e'], true)
  await second
  expect(await memory.find('presence', ['e'])).toEqual([['node:1']])
  await first
  expect(await memory.find('presence', people)).toEqual(people.map(() => ['node:1']))
})

test('the last word on a name is the last one written', async () => {
  const memory = createMemoryWhereabouts()
  const { store } = fragile(memory)
  const registrar = createRegistrar({ whereabouts: store, chunkMax: 10, onPerson() {}, onFailure() {} })
  await registrar.restore('node:1')
  void registrar.set('presence', ['a'], true)
  await new Promise(resolve => setImmediate(resolve))
  void registrar.set('presence', ['a'], false)
  await registrar.set('presence', ['a'], true)
  expect(await memory.find('presence', ['a'])).toEqual([['node:1']])
  await registrar.set('presence', ['a'], false)
  expect(await memory.find('presence', ['a'])).toEqual([[]])
})
