import type { Role } from '@flotilla/protocol'
import { describe, expect, test } from 'vitest'
import {
  demandGroup,
  demandManager,
  demandMayChangeRole,
  demandMayLeave,
  demandMayRemove,
  demandMember,
  roleNumbers,
  roleOf,
} from './access.ts'

const roles: readonly Role[] = ['owner', 'admin', 'member']

/** The code of the refusal, or 'allowed'. */
function outcome(check: () => void): string {
  try {
    check()
    return 'allowed'
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

test('a role has one number, and a number that nobody gave is an error', () => {
  for (const role of roles) expect(roleOf(roleNumbers[role])).toBe(role)
  expect(() => roleOf(4)).toThrow('unable to read a role: 4 is unknown')
})

test('a stranger learns whether there is such a conversation, and no more', () => {
  expect(outcome(() => demandMember(true, {}))).toBe('allowed')
  expect(outcome(() => demandMember(true, undefined))).toBe('not_a_member')
  expect(outcome(() => demandMember(false, undefined))).toBe('conversation_unknown')
})

test('only groups change', () => {
  expect(outcome(() => demandGroup('group'))).toBe('allowed')
  expect(outcome(() => demandGroup('direct'))).toBe('direct_fixed')
})

test('owners and admins manage', () => {
  expect(roles.map(role => outcome(() => demandManager(role)))).toEqual(['allowed', 'allowed', 'role_insufficient'])
})

test('who removes whom', () => {
  const table = roles.map(by => roles.map(target => outcome(() => demandMayRemove(by, target)) === 'allowed'))
  expect(table).toEqual([
    // an owner, an admin, a member
    [true, true, true],
    [false, false, true],
    [false, false, false],
  ])
})

describe('roles', () => {
  test('are given by owners alone', () => {
    for (const target of roles)
      for (const wanted of roles) {
        expect(outcome(() => demandMayChangeRole('owner', target, wanted, 2))).toBe('allowed')
        expect(outcome(() => demandMayChangeRole('admin', target, wanted, 2))).toBe('role_insufficient')
        expect(outcome(() => demandMayChangeRole('member', target, wanted, 2))).toBe('role_insufficient')
      }
  })

  test('keep an owner', () => {
    const wanted = (owners: number) =>
      roles.map(role => outcome(() => demandMayChangeRole('owner', 'owner', role, owners)))
    expect(wanted(1)).toEqual(['allowed', 'last_owner', 'last_owner'])
    expect(wanted(2)).toEqual(['allowed', 'allowed', 'allowed'])
  })
})

test('the last owner leaves last', () => {
  expect(outcome(() => demandMayLeave('owner', 1, 2))).toBe('last_owner')
  expect(outcome(() => demandMayLeave('owner', 1, 1))).toBe('allowed')
  expect(outcome(() => demandMayLeave('owner', 2, 2))).toBe('allowed')
  expect(outcome(() => demandMayLeave('admin', 0, 2))).toBe('allowed')
  expect(outcome(() => demandMayLeave('member', 0, 2))).toBe('allowed')
})
