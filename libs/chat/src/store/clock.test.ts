import { expect, test } from 'vitest'
import { createStoreClock, skewSaidMs } from './clock.ts'

const hourMs = 3_600_000

/** A machine and a store, whose clocks the test sets. */
function open() {
  const machine = { wall: 1_000_000, steady: 50 }
  const store = { ahead: 0 }
  const said: string[] = []
  const say = (level: string) => (fields: object) => void said.push(`${level} ${(fields as { skewMs: number }).skewMs}`)
  const clock = createStoreClock({
    logger: { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') },
    wall: () => machine.wall,
    steady: () => machine.steady,
  })
  const pass = (ms: number) => {
    machine.wall += ms
    machine.steady += ms
  }
  /** The true time, as the store has it: it knows nothing of what happens to the clocks of the machine. */
  let trueMs = 5_000_000
  return {
    machine,
    store,
    said,
    clock,
    /** Time goes by. */
    pass(ms: number) {
      pass(ms)
      trueMs += ms
    },
    /** The machine is suspended. */
    suspend(ms: number) {
      machine.wall += ms
      trueMs += ms
    },
    /** Asks the store, which answers after so long, and reads its clock at this share of the way. */
    ask(tripMs: number, share = 0.5) {
      const askedAt = machine.steady
      pass(tripMs * share)
      trueMs += tripMs * share
      const at = trueMs + store.ahead
      pass(tripMs * (1 - share))
      trueMs += tripMs * (1 - share)
      clock.heard(at, askedAt)
    },
    offMs: () => clock.now() - (trueMs + store.ahead),
  }
}

test('before the store has answered, its own clock is all that there is', () => {
  const { clock, machine } = open()
  expect(clock.now()).toBe(machine.wall)
  expect(clock.skewMs()).toBe(0)
})

test('the time is that of the store, however the clock of the machine is set, while the store is away too', () => {
  const { machine, clock, ask, pass, offMs } = open()
  ask(2)
  expect(offMs()).toBe(0)
  for (const byMs of [-hourMs, 40_000, 24 * hourMs]) {
    machine.wall += byMs
    expect(offMs()).toBe(0)
    pass(10_000)
    expect(offMs()).toBe(0)
  }
  expect(clock.skewMs()).toBe(machine.wall - clock.now())
})

test('an answer that took long does not spoil one that was quick, but replaces it in the end', () => {
  const { ask, pass, offMs } = open()
  ask(2)
  // All of the delay was on the way back.
  ask(800, 0)
  expect(Math.abs(offMs())).toBeLessThanOrEqual(1)
  pass(1_000_000)
  ask(800, 0)
  expect(Math.abs(offMs())).toBeLessThanOrEqual(400)
})

test.each([
  ['forward', 40_000],
  ['back', -hourMs],
])('a store whose clock is set %s, or another store, is believed with the next answer', (_, byMs) => {
  const { store, ask, pass, offMs } = open()
  ask(2)
  pass(1_000)
  store.ahead = byMs
  ask(20)
  expect(Math.abs(offMs())).toBeLessThanOrEqual(10)
})

test('a machine that was suspended has the right time again with the next answer', () => {
  const { suspend, ask, offMs } = open()
  ask(2)
  suspend(600_000)
  expect(offMs()).toBe(-600_000)
  ask(20)
  expect(Math.abs(offMs())).toBeLessThanOrEqual(10)
})

test('how far the machine is off is said once, again when it has moved, and when it is right again', () => {
  const { machine, said, clock, ask } = open()
  ask(0)
  machine.wall -= clock.skewMs()
  ask(0)
  said.length = 0
  ask(0)
  expect(said).toEqual([])
  machine.wall += 40_000
  ask(0)
  ask(0)
  expect(said).toEqual(['warn 40000'])
  machine.wall += skewSaidMs
  ask(0)
  machine.wall -= 41_000
  ask(0)
  ask(0)
  expect(said).toEqual(['warn 40000', 'warn 41000', 'info 0'])
})
