import type { push } from '@flotilla/chat'
import { beforeEach, expect, test } from 'vitest'
import { type Circuits, createCircuits } from './circuits.ts'

let now = 0
let circuits: Circuits
beforeEach(() => {
  now = 1_000_000
  circuits = createCircuits(() => now, { first: 1_000, max: 60_000 })
})

const failed: push.Answer = { answer: 'later', status: 500, reason: 'INTERNAL' }
const send = (answer: push.Answer, key = 'fcm') => {
  circuits.sending(key)
  circuits.noted(key, answer)
}

test('a service that says when to come back is left alone until then, whole; others are not', () => {
  send({ answer: 'later', status: 429, reason: 'QUOTA_EXCEEDED', retryMs: 30_000 })
  expect(circuits.allowed('fcm', 50)).toBe(0)
  expect(circuits.allowed('other', 50)).toBe(50)
  now += 29_999
  expect(circuits.allowed('fcm', 50)).toBe(0)
  now += 1
  expect(circuits.allowed('fcm', 50)).toBe(50)
})

test('nobody closes a service for longer than an hour by one answer', () => {
  send({ answer: 'later', status: 503, reason: 'UNAVAILABLE', retryMs: 1e9 })
  expect(circuits.pausedMs('fcm')).toBe(3_600_000)
})

test('after ten failures in a row it is tried with one push at a time, with pauses that grow', () => {
  for (let n = 0; n < 9; n++) send(failed)
  expect(circuits.allowed('fcm', 50)).toBe(50)
  send({ answer: 'unclear', reason: 'timeout' })
  expect(circuits.pausedMs('fcm')).toBe(1_000)
  // What was under way fails too, and makes the pause no longer.
  for (let n = 0; n < 40; n++) send(failed)
  expect(circuits.pausedMs('fcm')).toBe(1_000)
  now += 1_000
  expect(circuits.allowed('fcm', 50)).toBe(1)
  circuits.sending('fcm')
  expect(circuits.allowed('fcm', 50)).toBe(0)
  circuits.noted('fcm', failed)
  expect(circuits.pausedMs('fcm')).toBe(2_000)
  now += 2_000
  send({ answer: 'sent' })
  expect(circuits.allowed('fcm', 50)).toBe(50)
})

test('a refusal is an answer: the service is well', () => {
  for (let n = 0; n < 9; n++) send(failed)
  send({ answer: 'refused', status: 400, reason: 'INVALID_ARGUMENT' })
  send(failed)
  expect(circuits.allowed('fcm', 50)).toBe(50)
})

test('it remembers no more services than it may', () => {
  for (let n = 0; n < 5_000; n++) send({ answer: 'later', status: 429, reason: 'x', retryMs: 60_000 }, `host-${n}`)
  expect(circuits.paused()).toBe(1_000)
})
