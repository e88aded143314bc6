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

// ── between two people ───────────────────────────────────────────────────────────────────────────────────────────────

/** To whom somebody shows something of theirs. */
export const audienceNumbers = { everyone: 1, contacts: 2, nobody: 3 } as const
export type Audience = keyof typeof audienceNumbers
const audienceNames = new Map(Object.entries(audienceNumbers).map(([name, number]) => [number, name as Audience]))

/** The audience that a row's number stands for. */
export function audienceOf(number: number): Audience {
  const audience = audienceNames.get(number as 1)
  if (audience === undefined) throw new Error(`unable to read an audience: ${number} is unknown`)
  return audience
}

/** From whom somebody takes new direct conversations, and lets themselves be added to groups. */
export const directFromNumbers = { anyone: 1, contacts: 2 } as const
export type DirectFrom = keyof typeof directFromNumbers

/** What a row's number stands for; null is whatever the deployment says. */
export function directFromOf(number: number | null, deployment: DirectFrom): DirectFrom {
  if (number === null) return deployment
  return number === directFromNumbers.contacts ? 'contacts' : 'anyone'
}

/** What two people are to each other; the same from both sides. */
export interface Tie {
  readonly contact: boolean
  /** One of the two has blocked the other. */
  readonly blocked: boolean
}

/** Whether somebody who shows a thing to this audience shows it to the other. A block hides everything, both ways. */
export function shows(to: Audience, tie: Tie): boolean {
  return !tie.blocked && (to === 'everyone' || (to === 'contacts' && tie.contact))
}

/** A direct conversation is closed while one of the two has blocked the other. */
export function demandOpen(closed: boolean): void {
  if (closed) throw new Refusal('direct_closed')
}

/** Nothing passes between two of whom one has blocked the other. */
export function demandNotBlocked(tie: Pick<Tie, 'blocked'>, name: string, field?: string): void {
  if (!tie.blocked) return
  const message = `between the caller and ${name} stands a block: nothing passes between them`
  throw new Refusal('direct_closed', message, field === undefined ? {} : { field })
}

/** To open a direct conversation with somebody, or to add them to a group. */
export function demandMayReach(from: DirectFrom, tie: Tie, name: string, field: string): void {
  demandNotBlocked(tie, name, field)
  if (from === 'contacts' && !tie.contact)
    throw new Refusal('direct_refused', `${name} takes new conversations from contacts only`, { field })
}
