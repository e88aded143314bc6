import { type DirectFrom, directFroms, type Role } from '@flotilla/protocol'
import { describe, expect, test } from 'vitest'
import {
  audienceNumbers,
  audienceOf,
  demandGroup,
  demandInWindow,
  demandManager,
  demandMayChangeRole,
  demandMayDelete,
  demandMayLeave,
  demandMayReach,
  demandMayRemove,
  demandMember,
  demandNotBlocked,
  demandOpen,
  directFromNumbers,
  directFromOf,
  directFromSaid,
  demandMayAskAgain,
  demandMayStillAsk,
  demandMayTakeBack,
  demandNoLonger,
  demandStillAsked,
  requestStates,
  roleNumbers,
  roleOf,
  shows,
  windowOf,
  newcomersSee,
  rulesOf,
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

test('a role has one number, and one that is not known here permits what every member may', () => {
  for (const role of roles) expect(roleOf(roleNumbers[role])).toBe(role)
  expect(roleOf(4)).toBe('member')
})

test('a stranger learns whether there is such a conversation, and no more', () => {
  expect(outcome(() => demandMember(true, {}))).toBe('allowed')
  expect(outcome(() => demandMember(true, undefined))).toBe('not_a_member')
  expect(outcome(() => demandMember(false, undefined))).toBe('conversation_unknown')
})

test('a window ends: none at all is never, without an end it is always', () => {
  expect([0, 1, 2].map(ageMs => outcome(() => demandInWindow(ageMs, 1)))).toEqual(['allowed', 'allowed', 'too_late'])
  expect(outcome(() => demandInWindow(1, 0))).toBe('too_late')
  expect(outcome(() => demandInWindow(Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY))).toBe('allowed')
})

test('senders delete their messages within the window, owners and admins of a group all of them at any time', () => {
  const asked = (isOwn: boolean, kind: 'direct' | 'group', role: Role, ageMs: number) => {
    const whom = { isOwn, kind, role, ageMs, windowMs: 10 }
    let as = ''
    const code = outcome(() => void (as = demandMayDelete(whom)))
    return code === 'allowed' ? as : code
  }
  for (const ageMs of [5, 50]) {
    for (const role of ['owner', 'admin'] as const) {
      expect(asked(true, 'group', role, ageMs)).toBe('sender')
      expect(asked(false, 'group', role, ageMs)).toBe('admin')
    }
    for (const kind of ['group', 'direct'] as const) {
      expect(asked(true, kind, 'member', ageMs)).toBe(ageMs < 10 ? 'sender' : 'too_late')
      expect(asked(false, kind, 'member', ageMs)).toBe('role_insufficient')
    }
  }
})

test('only groups change', () => {
  expect(outcome(() => demandGroup('group'))).toBe('allowed')
  expect(outcome(() => demandGroup('direct'))).toBe('not_a_group')
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

const rules = rulesOf('group', {})

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

  test('an audience has one number, and to one that is not known here nothing is shown', () => {
    for (const [name, number] of Object.entries(audienceNumbers)) expect(audienceOf(number)).toBe(name)
    expect(audienceOf(4)).toBe('nobody')
  })

  test('from whom conversations are taken is said by the person where the deployment allows it, or else by it', () => {
    const inForce = (directFrom: DirectFrom, directFromAllowed: readonly DirectFrom[] = directFroms) =>
      [null, 1, 2, 3, 4].map(number => directFromOf(number, { directFrom, directFromAllowed }))
    expect(inForce('contacts')).toEqual(['contacts', 'anyone', 'contacts', 'known', 'request'])
    expect(inForce('known', ['anyone'])).toEqual(['known', 'anyone', 'known', 'known', 'known'])
    expect(inForce('anyone', [])).toEqual(['anyone', 'anyone', 'anyone', 'anyone', 'anyone'])
    for (const one of directFroms) expect(directFromSaid(directFromNumbers[one])).toBe(one)
    expect(directFromSaid(5)).toBe('request')
  })

  test('who enters a conversation at once, who is asked first, and who is out of reach', () => {
    const [unknown, met, friend, shut] = [
      { ...stranger, known: false },
      { ...stranger, known: true },
      { ...contact, known: true },
      { ...blocked, known: true },
    ]
    const reach = (from: DirectFrom) =>
      [unknown, met, friend, shut].map(tie => {
        let approach = ''
        const refused = outcome(() => {
          approach = demandMayReach(from, tie, 'bob', 'user')
        })
        return refused === 'allowed' ? approach : refused
      })
    expect(reach('anyone')).toEqual(['enters', 'enters', 'enters', 'blocked'])
    expect(reach('known')).toEqual(['asked', 'enters', 'enters', 'blocked'])
    expect(reach('request')).toEqual(['asked', 'asked', 'asked', 'blocked'])
    expect(reach('contacts')).toEqual(['contacts_only', 'contacts_only', 'enters', 'blocked'])
  })

  test('who was in a group or was asked into it is not simply added again', () => {
    const again = (state: number, ageMs: number) => demandMayAskAgain({ state, ageMs }, 1_000, 'enters', 'bob')
    expect(demandMayAskAgain(undefined, 1_000, 'enters', 'bob')).toBe('enters')
    expect(again(requestStates.open, 0)).toBe('enters')
    expect(again(requestStates.left, 0)).toBe('asked')
    expect(again(requestStates.declined, 1_000)).toBe('asked')
    expect(() => again(requestStates.declined, 400)).toThrow(
      expect.objectContaining({ code: 'request_declined', detail: { field: 'users', retryMs: 600 } }),
    )
  })

  test('before it is accepted, a direct conversation takes few messages', () => {
    // Its beginning is an entry too.
    expect(outcome(() => demandMayStillAsk(3, 3))).toBe('allowed')
    expect(outcome(() => demandMayStillAsk(4, 3))).toBe('request_pending')
  })

  test('who asks somebody into a group must be able to add them, and whoever is may take it back', () => {
    expect(outcome(() => demandStillAsked(rules, 'owner'))).toBe('allowed')
    expect(outcome(() => demandStillAsked(rules, 'admin'))).toBe('allowed')
    expect(outcome(() => demandStillAsked(rules, 'member'))).toBe('request_unknown')
    expect(outcome(() => demandStillAsked(rules, undefined))).toBe('request_unknown')
    expect(outcome(() => demandMayTakeBack(true, rules, undefined))).toBe('allowed')
    expect(outcome(() => demandMayTakeBack(false, rules, 'admin'))).toBe('allowed')
    expect(outcome(() => demandMayTakeBack(false, rules, 'member'))).toBe('request_unknown')
  })

  test('of the history newcomers see what the group says, and never what is not there', () => {
    const from = (newcomerHistory: number | null, head: number) => newcomersSee({ ...rules, newcomerHistory }, head)
    expect([from(0, 9), from(3, 9), from(9, 9), from(100, 9), from(null, 9)]).toEqual([10, 7, 1, 1, 1])
  })

  test('a window of a group is never wider than that of the deployment', () => {
    expect([windowOf(null, 5), windowOf(3, 5), windowOf(9, 5), windowOf(0, Infinity)]).toEqual([5, 3, 5, 0])
    const asks = (wanted: number | null | undefined) => outcome(() => demandNoLonger('editWindowMs', wanted, 5))
    expect([asks(undefined), asks(null), asks(5), asks(6)]).toEqual(['allowed', 'allowed', 'allowed', 'field_invalid'])
  })

  test('a rule that was never said is as it always was, and a role of tomorrow permits least', () => {
    expect(rulesOf('group', { slowModeMs: 5 })).toEqual({ ...rules, slowModeMs: 5 })
    const later = rulesOf('group', { permissions: { pin: 'moderator' as 'admin' } })
    expect(later.permissions).toEqual({ ...rules.permissions, pin: 'owner' })
    expect(new Set(Object.values(rulesOf('direct', { slowModeMs: 5 }).permissions))).toEqual(new Set(['member']))
    expect(rulesOf('direct', { slowModeMs: 5 }).slowModeMs).toBe(0)
  })

  test('nothing passes across a block', () => {
    expect(outcome(() => demandNotBlocked(stranger, 'bob'))).toBe('allowed')
    expect(outcome(() => demandNotBlocked(blocked, 'bob', 'user'))).toBe('blocked')
    expect(outcome(() => demandOpen(false))).toBe('allowed')
    expect(outcome(() => demandOpen(true))).toBe('blocked')
  })
})
