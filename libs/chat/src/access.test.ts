import type { Role } from '@flotilla/protocol'
import { describe, expect, test } from 'vitest'
import {
  audienceNumbers,
  audienceOf,
  demandGroup,
  demandManager,
  demandMayChangeRole,
  demandMayLeave,
  demandMayReach,
  demandMayRemove,
  demandMember,
  demandNotBlocked,
  demandOpen,
  directFromOf,
  roleNumbers,
  roleOf,
  shows,
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

describe('between two people', () => {
  const stranger = { contact: false, blocked: false }
  const contact = { contact: true, blocked: false }
  const blocked = { contact: true, blocked: true }

  test('what is shown to whom', () => {
    const table = (['everyone', 'contacts', 'nobody'] as const).map(to =>
      [stranger, contact, blocked].map(tie => shows(to, tie)),
    )
    expect(table).toEqual([
      // to a stranger, to a contact, across a block
      [true, true, false],
      [false, true, false],
      [false, false, false],
    ])
  })

  test('an audience has one number, and a number that nobody gave is an error', () => {
    for (const [name, number] of Object.entries(audienceNumbers)) expect(audienceOf(number)).toBe(name)
    expect(() => audienceOf(0)).toThrow('unable to read an audience: 0 is unknown')
  })

  test('from whom new conversations are taken is said by the person, or else by the deployment', () => {
    expect([null, 1, 2].map(number => directFromOf(number, 'contacts'))).toEqual(['contacts', 'anyone', 'contacts'])
    expect([null, 1, 2].map(number => directFromOf(number, 'anyone'))).toEqual(['anyone', 'anyone', 'contacts'])
  })

  test('who may begin something with whom', () => {
    const reach = (from: 'anyone' | 'contacts') =>
      [stranger, contact, blocked].map(tie => outcome(() => demandMayReach(from, tie, 'bob', 'user')))
    expect(reach('anyone')).toEqual(['allowed', 'allowed', 'direct_closed'])
    expect(reach('contacts')).toEqual(['direct_refused', 'allowed', 'direct_closed'])
  })

  test('nothing passes across a block', () => {
    expect(outcome(() => demandNotBlocked(stranger, 'bob'))).toBe('allowed')
    expect(outcome(() => demandNotBlocked(blocked, 'bob', 'user'))).toBe('direct_closed')
    expect(outcome(() => demandOpen(false))).toBe('allowed')
    expect(outcome(() => demandOpen(true))).toBe('direct_closed')
  })
})
