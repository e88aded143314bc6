import { expect, test } from 'vitest'
import { clockSkewMsMax, generateSecretKey, parseSecretKeys, signTicket, ticketLifeMs, verifyTicket } from './ticket.ts'

const who = { user: '00000000-0000-4000-8000-000000000001', session: '00000000-0000-4000-8000-000000000002' }
const [old, current] = [generateSecretKey('k1'), generateSecretKey('k2')]

test('a ticket is good for its 30 seconds, a clock that differs by up to 10 borne with, and not a moment longer', () => {
  const keys = parseSecretKeys(current)
  const signedAt = 1_000_000
  const ticket = signTicket(keys, who, signedAt)
  const goodUntil = signedAt + ticketLifeMs + clockSkewMsMax
  expect(verifyTicket(keys, ticket, goodUntil - 1)).toMatchObject(who)
  expect(verifyTicket(keys, ticket, goodUntil)).toBe('expired')
  expect(verifyTicket(keys, ticket, signedAt - clockSkewMsMax)).toMatchObject(who)
  expect(verifyTicket(keys, ticket, signedAt - clockSkewMsMax - 1)).toBe('early')
})

test('a rotation keeps tickets of the key before, and a dropped key refuses them', () => {
  const ticket = signTicket(parseSecretKeys(old), who, 0)
  expect(verifyTicket(parseSecretKeys(`${current},${old}`), ticket, 1)).toMatchObject(who)
  expect(verifyTicket(parseSecretKeys(current), ticket, 1)).toBe('forged')
})

test('a ticket that was altered anywhere, or is no ticket, is refused', () => {
  const keys = parseSecretKeys(current)
  const ticket = signTicket(keys, who, 0)
  for (let at = 0; at < ticket.length - 1; at++) {
    const letter = ticket[at] === 'A' ? 'B' : 'A'
    expect(verifyTicket(keys, ticket.slice(0, at) + letter + ticket.slice(at + 1), 1)).toBe('forged')
  }
  for (const text of ['', '.', '.....', 'x'.repeat(10_000)]) expect(verifyTicket(keys, text, 1)).toBe('forged')
})

test.each([['no-colon'], ['k:short'], [`k k:${'A'.repeat(44)}`], [`${current},${current}`]])(
  'the key set %s is refused',
  text => {
    expect(() => parseSecretKeys(text)).toThrow(/unable to read a key set/)
  },
)
