/** Who of a conversation that goes by interest is nowhere: what is asked of the store, and what is reported. */
import { expect, test } from 'vitest'
import { createAbsences } from './absences.ts'
import type { Clock } from './clock.ts'
import { createHints } from './hints.ts'
import type { Places } from './whereabouts.ts'

const entriesMax = 4

/** Time stands still; what is due runs when the test says so. */
function open(places: Readonly<Record<string, Places | undefined>>, here: readonly string[] = []) {
  const due: { readonly ms: number; readonly run: () => void }[] = []
  let now = 1
  const clock: Clock = {
    now: () => 0,
    steady: () => now,
    after(ms, run) {
      const timer = { ms, run }
      due.push(timer)
      return () => void due.splice(due.indexOf(timer), 1)
    },
  }
  const asked: (readonly string[])[] = []
  const reported: string[] = []
  const store = { isAway: false, places }
  const hints = createHints(100, 1_000)
  const absences = createAbsences({
    whereabouts: {
      async find(_kind: string, names: readonly string[]) {
        asked.push(names)
        if (store.isAway) throw new Error('away')
        return names.map(name => (name in store.places ? store.places[name] : []))
      },
    } as never,
    fleet: { isReachable: (place: string) => place !== 'gone:1' } as never,
    hints,
    clock,
    stats: { lookups: 0, absences: 0 },
    gatherMs: 250,
    pauseMs: 50,
    entriesMax,
    place: () => 'own:1',
    isHere: user => here.includes(user),
    absent: list => void reported.push(...list.map(({ user, conversation, seq }) => `${user} ${conversation} ${seq}`)),
  })
  /** Runs what is due, to its end. @returns after how many ms each was */
  const pass = async () => {
    const timers = due.splice(0)
    for (const { run } of timers) run()
    for (let turn = 0; turn < 20; turn++) await Promise.resolve()
    return timers.map(({ ms }) => ms)
  }
  return { absences, asked, reported, store, hints, pass, tick: (ms: number) => (now += ms) }
}

const entry = (seq: number, conversation = 'c') => ({ conversation, seq })

test('the people of all entries of a while are looked up once, and those who are nowhere reported of each', async () => {
  const { absences, asked, reported, hints, pass, tick } = open({ bob: ['other:1'], eve: [], dan: ['gone:1'] }, ['ann'])
  const people = ['ann', 'bob', 'eve', 'dan']
  for (const seq of [1, 2]) expect(absences.lookLater(people, { entry: entry(seq) })).toBe(true)
  absences.lookLater(['eve', 'bob'], { entry: entry(7, 'd') })
  expect(asked).toEqual([])
  expect(await pass()).toEqual([250])
  expect(asked).toEqual([['ann', 'bob', 'eve', 'dan']])
  expect(reported).toEqual(['eve c 1', 'dan c 1', 'eve c 2', 'dan c 2', 'eve d 7'])
  expect(people.map(user => hints.isPresent(user, 1))).toEqual([true, true, false, false])
  expect(absences.awayLately(people)).toEqual(['eve', 'dan'])
  expect(absences.awayLately([...people])).toBeUndefined()
  tick(1_000)
  expect(absences.awayLately(people)).toBeUndefined()
  expect(await pass()).toEqual([])
})

test('whoever has their row already is not reported, nor looked for in vain', async () => {
  const { absences, reported, pass } = open({})
  absences.lookLater(['eve', 'dan'], { entry: entry(1), owed: ['eve'] })
  absences.lookLater(['eve', 'dan'], { entry: entry(2), owed: [] })
  await pass()
  expect(reported).toEqual(['dan c 1', 'eve c 2', 'dan c 2'])
})

test('an entry of this place for somebody who has gone from here counts for nothing', async () => {
  const { absences, reported, pass } = open({ eve: ['own:1'] })
  absences.lookLater(['eve'], { entry: entry(1) })
  await pass()
  expect(reported).toEqual(['eve c 1'])
})

test('while the store is away nobody is reported; they are looked for again, and those alone who could not be', async () => {
  const { absences, asked, reported, store, pass } = open({ bob: ['other:1'], eve: [] })
  store.isAway = true
  absences.lookLater(['bob', 'eve', 'dan'], { entry: entry(1) })
  expect(await pass()).toEqual([250])
  expect(reported).toEqual([])
  store.isAway = false
  store.places = { ...store.places, dan: undefined }
  expect(await pass()).toEqual([50])
  expect(reported).toEqual(['eve c 1'])
  store.places = { ...store.places, dan: [] }
  expect(await pass()).toEqual([50])
  expect(asked.at(-1)).toEqual(['dan'])
  expect(reported).toEqual(['eve c 1', 'dan c 1'])
  expect(await pass()).toEqual([])
})

test('no more entries wait than may, and many people are looked up in turns', async () => {
  const { absences, asked, reported, pass } = open({})
  const crowds = Array.from({ length: 3 }, (_, nth) => Array.from({ length: 2_000 }, (_one, i) => `${nth}-${i}`))
  for (const crowd of crowds) absences.lookLater(crowd, { entry: entry(1) })
  expect(absences.lookLater(crowds[0]!, { entry: entry(2) })).toBe(true)
  expect(absences.lookLater(crowds[0]!, { entry: entry(3) })).toBe(false)
  await pass()
  expect(asked.map(names => names.length)).toEqual([4_000, 2_000])
  expect(reported).toHaveLength(8_000)
  expect(absences.lookLater(crowds[0]!, { entry: entry(4) })).toBe(true)
})

test('what waits is looked for when the node stops, and nothing is planned after it', async () => {
  const { absences, reported, store, pass } = open({})
  absences.lookLater(['eve'], { entry: entry(1) })
  await absences.stop()
  expect(reported).toEqual(['eve c 1'])
  store.isAway = true
  absences.lookLater(['eve'], { entry: entry(2) })
  await absences.stop()
  expect(await pass()).toEqual([])
})
