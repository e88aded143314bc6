import { expect, test } from 'vitest'
import { emptiestGoesFirst, followsDown, followsUp, type ScalingSample, scalingCsv } from './scaling.ts'

const rules = { connectionsPerGateway: 100, min: 2, max: 5, downWindowSeconds: 60, downPeriodSeconds: 30 }

/** The connections of those who stay, and of those who are ending. */
const at = (seconds: number, stay: readonly number[], ending: readonly number[] = [], wanted = stay.length) =>
  ({
    atMs: seconds * 1_000,
    wanted,
    metric: undefined,
    gateways: [
      ...stay.map((connections, nth) => ({ name: `g${nth}`, ready: true, ending: false, connections })),
      ...ending.map((connections, nth) => ({
        name: `g${stay.length + nth}`,
        ready: true,
        ending: true,
        connections,
      })),
    ],
  }) satisfies ScalingSample

test('up: each gateway that is needed comes within a minute', () => {
  const good = [at(0, [50, 50]), at(10, [120, 120]), at(50, [160, 160, 20]), at(60, [110, 110, 100, 80])]
  expect(followsUp(good, rules)).toMatchObject({ met: true, result: '3 after 40.0 s, 4 after 10.0 s' })
  const slow = [at(0, [50, 50]), at(10, [120, 120]), at(71, [100, 100, 40])]
  expect(followsUp(slow, rules).met).toBe(false)
  expect(followsUp([at(0, [150, 150])], rules)).toMatchObject({ met: false, result: 'never 3' })
  expect(followsUp([at(0, [10, 10])], rules).met).toBe(false)
})

test('down: in time for the window and the period, not much later', () => {
  const fall = (seconds: number) => [
    at(0, [100, 100, 100, 100]),
    at(10, [30, 30, 30, 30]),
    at(seconds - 1, [40, 40, 40]),
    at(seconds, [60, 60]),
  ]
  expect(followsDown(fall(120), rules, 10_000)).toMatchObject({ met: true, result: 'from 4 to 2 after 110 s' })
  expect(followsDown(fall(200), rules, 10_000).met).toBe(false)
  expect(followsDown(fall(120).slice(0, 3), rules, 10_000).met).toBe(false)
})

test('the emptiest goes first, or one that is as good as empty', () => {
  expect(emptiestGoesFirst([at(0, [90, 80, 30]), at(1, [90, 80], [30])]).met).toBe(true)
  expect(emptiestGoesFirst([at(0, [90, 80, 82]), at(1, [90, 80], [82])]).met).toBe(true)
  expect(emptiestGoesFirst([at(0, [90, 30, 80]), at(1, [90, 30], [80])]).met).toBe(false)
  expect(emptiestGoesFirst([at(0, [90, 30, 80])]).met).toBe(false)
})

test('all of it as CSV', () => {
  expect(scalingCsv([at(3, [1, 2]), at(4, [1], [2], 1)])).toBe(
    'seconds,connections,metric,wanted,ready,ending\n0.0,3,,2,2,0\n1.0,3,,1,1,1\n',
  )
})
