/**
 * Every permission, pure: facts in, a refusal or nothing out. No verb decides a permission anywhere else.
 */
import { Refusal, type Role } from '@flotilla/protocol'

export const roleNumbers = { owner: 3, admin: 2, member: 1 } as const satisfies Record<Role, number>
const roleNames = new Map<number, Role>(Object.entries(roleNumbers).map(([name, number]) => [number, name as Role]))

/** The role that a row's number stands for. */
export function roleOf(number: number): Role {
  const role = roleNames.get(number)
  if (role === undefined) throw new Error(`unable to read a role: ${number} is unknown`)
  return role
}

export const kindNumbersOfConversations = { direct: 1, group: 2 } as const
export type ConversationKind = keyof typeof kindNumbersOfConversations

/** The conversation exists, and the caller is in it. */
export function demandMember<M>(conversationExists: boolean, member: M | undefined): asserts member is M {
  if (!conversationExists) throw new Refusal('conversation_unknown')
  if (member === undefined) throw new Refusal('not_a_member')
}

/** The members of a direct conversation are fixed, and it has no name. */
export function demandGroup(kind: ConversationKind): void {
  if (kind === 'direct') throw new Refusal('direct_fixed')
}

/** Owners and admins name the group and add people. */
export function demandManager(role: Role): void {
  if (role === 'member') throw new Refusal('role_insufficient')
}

/** An admin removes members, an owner anybody else. */
export function demandMayRemove(by: Role, target: Role): void {
  if (roleNumbers[by] <= roleNumbers[target] && by !== 'owner') throw new Refusal('role_insufficient')
}

/** Only owners give roles; the last owner cannot step down. */
export function demandMayChangeRole(by: Role, target: Role, wanted: Role, owners: number): void {
  if (by !== 'owner') throw new Refusal('role_insufficient')
  if (target === 'owner' && wanted !== 'owner' && owners <= 1) throw new Refusal('last_owner')
}

/** The last owner leaves only as the last member. */
export function demandMayLeave(role: Role, owners: number, members: number): void {
  if (role === 'owner' && owners <= 1 && members > 1) throw new Refusal('last_owner')
}
