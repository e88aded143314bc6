import { beforeEach, expect, test } from 'vitest'
import { PresenceWatch } from './presence.ts'
import { openWire, type Said, type Wire } from './simulation/wire.testbed.ts'

let wire: Wire
let changes: string[]
let presence: PresenceWatch

beforeEach(() => {
  wire = openWire()
  changes = []
  presence = new PresenceWatch({
    ...wire,
    changed: ({ user, online }) => changes.push(`${user} ${online ? 'online' : 'offline'}`),
    report: () => {},
  })
})

const answer = async (said: Said | undefined, online: string[]) => {
  wire.requests.answer({ id: said?.id ?? 0, ok: { online } })
  await wire.clock.settle()
}
const refuse = async (said: Said | undefined, code: 'no_shared_conversation' | 'unavailable') => {
  wire.requests.answer({ id: said?.id ?? 0, error: { code, message: code } })
  await wire.clock.settle()
}
const heard = (user: string, online: boolean, at: number) =>
  presence.heard({ event: 'presence.changed', user, online, at })

test('a watch tells who is here, and then what changes', async () => {
  presence.live()
  const watching = presence.watch(['bob', 'zoe', 'bob'])
  const [said] = wire.said()
  expect(said).toMatchObject({ op: 'presence.watch', users: ['bob', 'zoe'] })
  await answer(said, ['bob'])
  await watching
  expect(changes).toEqual(['bob online', 'zoe offline'])
  heard('bob', false, 10)
  // The node tells it last, so it stands last, whatever clock its time is by.
  heard('bob', true, 9)
  heard('stranger', true, 10)
  expect(changes.slice(2)).toEqual(['bob offline', 'bob online'])
  expect(presence.known()).toEqual(
    new Map([
      ['bob', true],
      ['zoe', false],
    ]),
  )
})

test('a change that overtakes the answer is not undone by it', async () => {
  presence.live()
  void presence.watch(['bob'])
  heard('bob', true, 10)
  await answer(wire.said()[0], [])
  expect(changes).toEqual(['bob online'])
})

test('without a connection the watch begins with the next one, and is taken up on every one', async () => {
  await presence.watch(['bob', 'zoe'])
  expect(wire.said()).toEqual([])
  presence.live()
  await answer(wire.said()[0], ['bob'])
  presence.unwatch(['zoe'])
  expect(wire.said()).toMatchObject([{ op: 'presence.unwatch', users: ['zoe'] }])
  presence.down()
  presence.live()
  const [again] = wire.said()
  expect(again).toMatchObject({ op: 'presence.watch', users: ['bob'] })
  await answer(again, [])
  expect(changes).toEqual(['bob online', 'zoe offline', 'bob offline'])
})

test('a refusal rejects and is forgotten', async () => {
  presence.live()
  const watching = presence.watch(['bob'])
  const refused = expect(watching).rejects.toMatchObject({ code: 'no_shared_conversation' })
  await refuse(wire.said()[0], 'no_shared_conversation')
  await refused
  presence.live()
  expect(wire.said()).toEqual([])
  await expect(presence.watch(Array.from({ length: 501 }, (_, at) => `u${at}`))).rejects.toMatchObject({
    code: 'watch_limit_reached',
  })
})

test('one whom we may not watch any longer does not cost us the others', async () => {
  await presence.watch(['a', 'b', 'c', 'd'])
  presence.live()
  for (let round = 0; round < 8; round++) {
    for (const said of wire.said()) {
      const users = said['users'] as string[]
      await (users.includes('c') ? refuse(said, 'no_shared_conversation') : answer(said, users))
    }
  }
  expect(changes).toEqual(['a online', 'b online', 'd online'])
  presence.live()
  expect(wire.said()).toMatchObject([{ users: ['a', 'b', 'd'] }])
})

test('a watch that fails for the moment is tried again', async () => {
  presence.live()
  const watching = presence.watch(['bob'])
  await refuse(wire.said()[0], 'unavailable')
  await watching
  await wire.clock.advance(2_000)
  await answer(wire.said()[0], ['bob'])
  expect(changes).toEqual(['bob online'])
})
