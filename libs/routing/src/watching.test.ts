import { expect, test } from 'vitest'
import { createFleet } from './fleet.ts'
import { type PresenceChange, createWatching } from './watching.ts'
import type { Places, Whereabouts } from './whereabouts.ts'

const watcher = 'here:1'

/** A place where everybody is watched, on a store that answers when the test lets it. */
function open() {
  const presence = new Map<string, Places>()
  const asked: (() => void)[] = []
  const changes: PresenceChange[] = []
  const timers: (() => void)[] = []
  let isHeld = false
  const watching = createWatching({
    clock: {
      now: () => 0,
      steady: () => 0,
      after(_ms, run) {
        timers.push(run)
        return () => {}
      },
    },
    whereabouts: {
      async find(kind: string, users: readonly string[]) {
        // It answers by what holds when it is asked, however long the answer takes.
        const found = users.map(user => (kind === 'presence' ? (presence.get(user) ?? []) : [watcher]))
        if (isHeld) await new Promise<void>(resolve => asked.push(resolve))
        return found
      },
    } as unknown as Whereabouts,
    fleet: createFleet(() => {}),
    gatherMs: 1,
    changesMax: 2,
    place: () => watcher,
    isHere: () => false,
    isWatched: () => true,
    send() {},
    presenceChanged: list => void changes.push(...list),
  })
  return {
    watching,
    presence,
    changes,
    /** Answers wait for `answer` from now on. */
    hold: () => (isHeld = true),
    asked,
    /** The pause is over. */
    runTimers: () => {
      for (const run of timers.splice(0)) run()
    },
  }
}

/** Lets everything run that waits for nothing but its turn. */
const settled = () => new Promise(resolve => setImmediate(resolve))
const shown = (changes: readonly PresenceChange[]) => changes.map(({ user, online }) => `${user} ${online}`)

test('what two places send in one order and is heard in the other ends as the store has it, whatever their clocks say', async () => {
  const { watching, presence, changes } = open()
  expect(await watching.begin(['bob'])).toEqual([])
  presence.set('bob', ['b:1'])
  // B saw that he came; A, whose clock is an hour ahead, had seen before that he went.
  watching.heard([['bob', true, 1_000]])
  watching.heard([['bob', false, 3_601_000]])
  await settled()
  expect(shown(changes)).toEqual(['bob true'])
  presence.delete('bob')
  watching.heard([['bob', false, 2_000]])
  await settled()
  expect(shown(changes)).toEqual(['bob true', 'bob false'])
})

test('what was told already is not looked up again', async () => {
  const { watching, changes, hold, asked } = open()
  await watching.begin(['bob'])
  hold()
  watching.heard([['bob', false, 1]])
  await settled()
  expect(asked).toHaveLength(0)
  expect(changes).toEqual([])
})

test('look-ups follow one another, so that an older answer never comes last', async () => {
  const { watching, presence, changes, hold, asked } = open()
  await watching.begin(['ann', 'bob'])
  hold()
  presence.set('ann', ['b:1'])
  watching.heard([['ann', true, 1]])
  await settled()
  presence.delete('ann')
  presence.set('bob', ['b:1'])
  const rechecked = watching.recheck(['ann', 'bob'])
  await settled()
  expect(asked).toHaveLength(1)
  asked.shift()!()
  await settled()
  asked.shift()!()
  await rechecked
  expect(shown(changes)).toEqual(['ann true', 'ann false', 'bob true'])
})

test('who goes while it is looked up that they came is looked up once more', async () => {
  const { watching, presence, changes, hold, asked } = open()
  await watching.begin(['bob'])
  hold()
  presence.set('bob', ['b:1'])
  watching.heard([['bob', true, 1]])
  await settled()
  // As far as was told he is away still, so this sounds like nothing new.
  presence.delete('bob')
  watching.heard([['bob', false, 2]])
  for (let answers = 0; answers < 2; answers++) {
    asked.shift()?.()
    await settled()
  }
  expect(shown(changes)).toEqual(['bob true', 'bob false'])
})

test('a look-up that fails is made again', async () => {
  const { watching, presence, changes, runTimers } = open()
  await watching.begin(['bob'])
  presence.set('bob', ['b:1'])
  const { get } = presence
  presence.get = () => {
    presence.get = get
    throw new Error('away')
  }
  watching.heard([['bob', true, 1]])
  await settled()
  expect(changes).toEqual([])
  runTimers()
  await settled()
  expect(shown(changes)).toEqual(['bob true'])
})
