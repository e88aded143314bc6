/**
 * Every permission, pure: facts in, a refusal or nothing out. No verb decides a permission anywhere else.
 *
 * A number in a row may be one that a later version has brought, during a roll-out or after one that was taken back. It
 * is no error: it stands for what permits least and shows least.
 */
import {
  type Audience,
  type DirectFrom,
  directFroms,
  type GroupSettings,
  type Permissions,
  notifies,
  type NotifyRule,
  Refusal,
  type Role,
} from '@flotilla/protocol'

export const roleNumbers = { owner: 3, admin: 2, member: 1 } as const satisfies Record<Role, number>
const roleNames = new Map<number, Role>(Object.entries(roleNumbers).map(([name, number]) => [number, name as Role]))

/** The role that a row's number stands for. */
export const roleOf = (number: number): Role => roleNames.get(number) ?? 'member'

export const kindNumbersOfConversations = { direct: 1, group: 2 } as const
export type ConversationKind = keyof typeof kindNumbersOfConversations

/** The kind that a row's number stands for. */
export const kindOf = (number: number): ConversationKind =>
  number === kindNumbersOfConversations.direct ? 'direct' : 'group'

/** The conversation exists, and the caller is in it. */
export function demandMember<M>(conversationExists: boolean, member: M | undefined): asserts member is M {
  if (!conversationExists) throw new Refusal('conversation_unknown')
  if (member === undefined) throw new Refusal('not_a_member')
}

/** The members of a direct conversation are fixed, and it has no name. */
export function demandGroup(kind: ConversationKind): void {
  if (kind === 'direct') throw new Refusal('not_a_group')
}

/** Owners and admins see to order in a group: whom they remove, silence and ban, and how fast it goes. */
export function demandManager(role: Role): void {
  if (role === 'member') throw new Refusal('role_insufficient')
}

/** Who asked somebody into a group must still be able to add them when they accept. */
export function demandStillAsked(rules: Rules, role: Role | undefined): void {
  if (role === undefined || !permits(rules, 'addMembers', role)) throw new Refusal('request_unknown')
}

/** Who asked takes that back, or whoever else may add people to the group. */
export function demandMayTakeBack(isOwn: boolean, rules: Rules, role: Role | undefined): void {
  if (!isOwn) demandStillAsked(rules, role)
}

/** Something that its sender did so long ago can be changed by them still. */
export function demandInWindow(ageMs: number, windowMs: number): void {
  if (ageMs > windowMs) throw new Refusal('too_late', undefined, { rule: `within ${windowMs} ms` })
}

/** How long something can be changed in a conversation: the deployment decides, and a group may decide on less. */
export const windowOf = (ofGroup: number | null, ofDeployment: number): number =>
  ofGroup === null ? ofDeployment : Math.min(ofGroup, ofDeployment)

/** What a group may decide on. A deployment that allows less later is right all the same. */
export function demandNoLonger(field: string, wanted: number | null | undefined, ofDeployment: number): void {
  if (wanted === undefined || wanted === null || wanted <= ofDeployment) return
  const rule = `at most ${ofDeployment}, as in the deployment`
  throw new Refusal('field_invalid', `${field}: must be ${rule}`, { field, rule })
}

/**
 * A message is deleted for everybody by its sender, as long as the deployment and the group let them, and by the owners and admins of a
 * group.
 * @returns as whom
 */
export function demandMayDelete(message: {
  readonly isOwn: boolean
  readonly kind: ConversationKind
  readonly role: Role
  readonly ageMs: number
  readonly windowMs: number
}): 'sender' | 'admin' {
  const { isOwn, kind, role, ageMs, windowMs } = message
  const manages = kind === 'group' && role !== 'member'
  if (!isOwn && !manages)
    throw new Refusal('role_insufficient', "only owners and admins of a group delete others' messages")
  if (!manages) demandInWindow(ageMs, windowMs)
  return isOwn ? 'sender' : 'admin'
}

/** Who points a message out to everybody: in a large group whom it permits that. */
export function demandMayMentionAll(
  rules: Rules,
  { role, size }: { readonly role: Role; readonly size: number },
  freeMembersMax: number,
): void {
  if (size > freeMembersMax) demandPermitted(rules, 'mentionEveryone', role)
}

/** Who posted a poll closes it, or in a group owners and admins. */
export function demandMayClosePoll(isOwn: boolean, kind: ConversationKind, role: Role): void {
  if (isOwn) return
  if (kind === 'direct') throw new Refusal('role_insufficient')
  demandManager(role)
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

// ── by the rules of a group ──────────────────────────────────────────────────────────────────────────────────────────

/** What a group allows whom. Of a direct conversation both people may do all. */
export type Rules = Omit<GroupSettings, 'description' | 'avatar'>
export type Permission = keyof Permissions

const groupRules: Rules = Object.freeze({
  permissions: Object.freeze({
    post: 'member',
    addMembers: 'admin',
    pin: 'admin',
    mentionEveryone: 'admin',
    edit: 'admin',
  } as const),
  slowModeMs: 0,
  newcomerHistory: 0,
  forwarding: true,
  editWindowMs: null,
  deleteWindowMs: null,
  editHistory: true,
})
const directRules: Rules = Object.freeze({
  ...groupRules,
  permissions: Object.freeze(
    Object.fromEntries(Object.keys(groupRules.permissions).map(what => [what, 'member'])) as Record<Permission, Role>,
  ),
})

/** As a row has it: what was never said is missing. */
export type StoredRules = Partial<Omit<Rules, 'permissions'>> & { readonly permissions?: Partial<Permissions> }

/** What a row's rules stand for. A role that this version does not know is taken for the highest. */
export function rulesOf(kind: ConversationKind, stored: StoredRules): Rules {
  if (kind === 'direct') return directRules
  if (Object.keys(stored).length === 0) return groupRules
  const said = { ...groupRules.permissions, ...stored.permissions }
  const permissions = Object.fromEntries(
    Object.entries(said).map(([what, role]) => [what, Object.hasOwn(roleNumbers, role) ? role : 'owner']),
  ) as Permissions
  return { ...groupRules, ...stored, permissions }
}

/** Whether somebody of this role may do that. */
export const permits = ({ permissions }: Rules, what: Permission, role: Role): boolean =>
  roleNumbers[role] >= roleNumbers[permissions[what]]

/** To post, add people, pin, mention everyone, or edit the group. */
export function demandPermitted(rules: Rules, what: Permission, role: Role): void {
  if (!permits(rules, what, role)) throw new Refusal('role_insufficient')
}

/** To post, and to edit what was posted. On the way of each message: it costs two comparisons where everybody may. */
export function demandMayPost(
  rules: Rules,
  { role, silencedUntil }: { readonly role: Role; readonly silencedUntil?: number | undefined },
  now: () => number,
): void {
  if (rules.permissions.post !== 'member') demandPermitted(rules, 'post', role)
  if (silencedUntil !== undefined && silencedUntil > now())
    throw new Refusal('silenced', undefined, { until: silencedUntil })
}

/** A group may keep what is said there to itself. */
export function demandMayForward({ forwarding }: Rules): void {
  if (!forwarding) throw new Refusal('forwarding_disabled', undefined, { field: 'source' })
}

/** How long somebody of this role waits after a message of theirs. Who sees to order does not wait. */
export const pauseMsOf = ({ slowModeMs }: Rules, role: Role): number => (role === 'member' ? slowModeMs : 0)

/** Owners alone give permissions; owners and admins set the rest; who edits the group describes it. */
export function demandMayChange(
  rules: Rules,
  role: Role,
  wanted: { readonly describes: boolean; readonly permits: boolean; readonly sets: boolean },
): void {
  if (wanted.describes) demandPermitted(rules, 'edit', role)
  if (wanted.sets) demandManager(role)
  if (wanted.permits && role !== 'owner') throw new Refusal('role_insufficient')
}

/** Owners hand the group on, and are admins then. */
export function demandMayHandOn(by: Role): void {
  if (by !== 'owner') throw new Refusal('role_insufficient')
}

/** An admin silences members, an owner everybody but owners. */
export function demandMaySilence(by: Role, target: Role): void {
  demandManager(by)
  if (roleNumbers[by] <= roleNumbers[target]) throw new Refusal('role_insufficient')
}

/** Whoever is banned comes in by no way. */
export function demandNotBanned(banned: boolean, message?: string, field?: string): void {
  if (banned) throw new Refusal('banned', message, field === undefined ? {} : { field })
}

/** From where on newcomers see a group whose log has come to this head, which their coming follows. */
export const newcomersSee = ({ newcomerHistory }: Rules, head: number): number =>
  newcomerHistory === null ? 1 : Math.max(1, head + 1 - newcomerHistory)
/** What tells a person of a conversation. */
export const notifyNumbers = { all: 1, mentions: 2, nothing: 3 } as const satisfies Record<NotifyRule, number>
const notifyNames = new Map<number, NotifyRule>(notifies.map(name => [notifyNumbers[name], name]))

/** The rule that a row's number stands for. */
export const notifyOf = (number: number): NotifyRule => notifyNames.get(number) ?? 'nothing'

// ── between two people ───────────────────────────────────────────────────────────────────────────────────────────────

/** Who can see something. */
export const audienceNumbers = { everyone: 1, contacts: 2, nobody: 3 } as const satisfies Record<Audience, number>
const audienceNames = new Map(Object.entries(audienceNumbers).map(([name, number]) => [number, name as Audience]))

/** The audience that a row's number stands for. */
export const audienceOf = (number: number): Audience => audienceNames.get(number as 1) ?? 'nobody'

/**
 * Who may put somebody into a conversation, direct or group, without asking them first: anyone; those whom they know,
 * and the others ask; nobody, so that all ask; or contacts only, and the others may not even ask.
 */
export const directFromNumbers = { anyone: 1, contacts: 2, known: 3, request: 4 } as const satisfies Record<
  DirectFrom,
  number
>
const directFromNames = new Map<number, DirectFrom>(directFroms.map(name => [directFromNumbers[name], name]))

/** What a row's number stands for, as the person has said it. */
export const directFromSaid = (number: number): DirectFrom => directFromNames.get(number) ?? 'request'

/** What is in force: what the person has said where the deployment allows that, or else what the deployment says. */
export function directFromOf(
  number: number | null,
  deployment: { readonly directFrom: DirectFrom; readonly directFromAllowed: readonly DirectFrom[] },
): DirectFrom {
  if (number === null) return deployment.directFrom
  const said = directFromSaid(number)
  return deployment.directFromAllowed.includes(said) ? said : deployment.directFrom
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
  if (closed) throw new Refusal('blocked')
}

/** Nothing passes between two of whom one has blocked the other. */
export function demandNotBlocked(tie: Pick<Tie, 'blocked'>, name: string, field?: string): void {
  if (!tie.blocked) return
  const message = `you have blocked ${name}, or they have blocked you`
  throw new Refusal('blocked', message, field === undefined ? {} : { field })
}

/** Whether somebody comes into a conversation at once, or is asked first. */
export type Approach = 'enters' | 'asked'

/**
 * To open a direct conversation with somebody, or to add them to a group.
 * @param tie `known`: a contact, or somebody in whose direct conversation they have agreed to be
 */
export function demandMayReach(
  from: DirectFrom,
  tie: Tie & { readonly known: boolean },
  name: string,
  field: string,
): Approach {
  demandNotBlocked(tie, name, field)
  if (from === 'contacts' && !tie.contact)
    throw new Refusal('contacts_only', `${name} accepts new conversations from contacts only`, { field })
  if (from === 'request' || (from === 'known' && !tie.known)) return 'asked'
  return 'enters'
}

/** What has become of it that somebody was asked into a conversation, or was in a group. */
export const requestStates = { open: 1, declined: 2, left: 3 } as const

/**
 * To put somebody into a group who was in it or was asked before: who has left is asked, whatever their setting says; who
 * has declined is left alone for a time.
 * @param before the state and its age
 */
export function demandMayAskAgain(
  before: { readonly state: number; readonly ageMs: number } | undefined,
  pauseMs: number,
  approach: Approach,
  name: string,
): Approach {
  if (before === undefined) return approach
  if (before.state === requestStates.declined && before.ageMs < pauseMs)
    throw new Refusal('request_declined', `${name} has declined and cannot be asked again yet`, {
      field: 'users',
      retryMs: Math.ceil(pauseMs - before.ageMs),
    })
  return before.state === requestStates.open ? approach : 'asked'
}

/** Before it is accepted, a direct conversation holds its beginning and a few messages. */
export function demandMayStillAsk(head: number, messagesMax: number): void {
  if (head > messagesMax)
    throw new Refusal('request_pending', undefined, { rule: `maxItems ${messagesMax} before it is accepted` })
}
