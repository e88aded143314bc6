import { expect, test } from 'vitest'
import { createSessionSweep } from './session-sweep.ts'

class Fake {
  open = true
  readonly session: string
  constructor(session: string) {
    this.session = session
  }
  close(): void {
    this.open = false
  }
}

test('every connection is looked at in its turn, and those whose session is over are closed', async () => {
  const connections = Array.from({ length: 1_000 }, (_, nth) => new Fake(`s${nth}`))
  const asked: string[] = []
  const look = createSessionSweep({
    all: () => connections.filter(one => one.open),
    whyEnded: async session => {
      asked.push(session)
      return session.endsWith('7') ? 'session_ended' : undefined
    },
  })
  await look()
  expect(asked.length).toBeLessThan(10)
  for (let nth = 0; nth < 300; nth++) await look()
  expect(new Set(asked).size).toBe(1_000)
  expect(connections.filter(one => !one.open).map(one => one.session)).toEqual(
    connections.map(one => one.session).filter(session => session.endsWith('7')),
  )
})

test('a store that does not answer closes nobody, and is asked again', async () => {
  const one = new Fake('s')
  let away = true
  const look = createSessionSweep({
    all: () => [one],
    whyEnded: async () => {
      if (away) throw new Error('unable to ask')
      return 'session_ended'
    },
  })
  await look()
  expect(one.open).toBe(true)
  away = false
  await look()
  expect(one.open).toBe(false)
})
