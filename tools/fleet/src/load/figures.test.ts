import { expect, test } from 'vitest'
import {
  connectionsAreEven,
  everybodyComesBack,
  type Figures,
  fewReconnectAtOnce,
  gapsAreShort,
  nothingIsBroken,
} from './figures.ts'

const good: Figures = {
  clients: 1_000,
  seconds: 60,
  gapMs: { count: 1_000, p50: 40, p95: 300, max: 900 },
  leaveShareMax: 0.03,
  returnShareMax: 0.03,
  away: 0,
  lost: [],
  connections: {},
  messages: 5_000,
  ackMs: { p50: 10, p99: 50 },
  loadShare: 0.5,
}

test('each promise is kept by good figures, and broken by bad ones', () => {
  expect(fewReconnectAtOnce(good).met).toBe(true)
  expect(fewReconnectAtOnce({ ...good, leaveShareMax: 0.06 }).met).toBe(false)
  expect(fewReconnectAtOnce({ ...good, returnShareMax: 0.06 }).met).toBe(false)
  expect(gapsAreShort(good).met).toBe(true)
  expect(gapsAreShort({ ...good, gapMs: { ...good.gapMs, p95: 1_000 } }).met).toBe(false)
  expect(gapsAreShort({ ...good, gapMs: { ...good.gapMs, p95: Number.NaN } }).met).toBe(false)
  expect(everybodyComesBack(good).met).toBe(true)
  expect(everybodyComesBack({ ...good, away: 1 }).met).toBe(false)
  expect(everybodyComesBack({ ...good, lost: ['device-1: refresh_token_invalid'] })).toMatchObject({
    met: false,
    result: '0 of 1,000 away at the end, 1 for good; device-1: refresh_token_invalid',
  })
  expect(nothingIsBroken({ records: 9, violations: 0, examples: [] }).met).toBe(true)
  expect(nothingIsBroken({ records: 9, violations: 1, examples: ['P1: lost'] }).result).toBe('1 in 9 records; P1: lost')
})

test('connections are even when they stay so, by the time that is allowed', () => {
  const sample = (seconds: number, a: number, b: number) => ({
    atMs: seconds * 1_000,
    nodes: new Map([
      ['a', a],
      ['b', b],
      ['gone', 7],
    ]),
  })
  const filling = [sample(0, 100, 0), sample(50, 70, 30), sample(100, 60, 40), sample(110, 61, 39)]
  expect(connectionsAreEven(filling, ['a', 'b']).met).toBe(true)
  expect(connectionsAreEven(filling, ['a', 'b'], 90).met).toBe(false)
  expect(connectionsAreEven([...filling, sample(119, 70, 30)], ['a', 'b']).met).toBe(false)
  expect(connectionsAreEven(filling.slice(0, 2), ['a', 'b'])).toMatchObject({ met: false })
  expect(connectionsAreEven([], ['a', 'b']).met).toBe(false)
})
