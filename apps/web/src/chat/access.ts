/** What oneself may do in a conversation, so that nothing is offered that would be refused. The server decides in the end. */
import type { GroupSettings } from '@flotilla/sdk'
import type { ConversationView, MessageRow } from '@flotilla/sdk/state'

type Role = ConversationView['role']
export type Permission = keyof GroupSettings['permissions']

const ranks: Readonly<Record<Role, number>> = { member: 0, admin: 1, owner: 2 }
/** What the server takes where a group says nothing of its own. */
const lowest: Readonly<Record<Permission, Role>> = {
  post: 'member',
  addMembers: 'admin',
  pin: 'admin',
  mentionEveryone: 'admin',
  edit: 'admin',
}

const isAtLeast = (role: Role, wanted: Role): boolean => ranks[role] >= ranks[wanted]

/** In a direct conversation both may do everything. */
export function may(view: ConversationView | undefined, permission: Permission): boolean {
  if (view === undefined) return false
  if (view.kind === 'direct') return true
  return isAtLeast(view.role, view.group?.permissions[permission] ?? lowest[permission])
}

/** How long a member waits between two messages; who manages a group does not. */
export const slowModeMsOf = (view: ConversationView): number =>
  view.role === 'member' ? (view.group?.slowModeMs ?? 0) : 0

export const isManager = (view: ConversationView | undefined): boolean =>
  view?.kind === 'group' && isAtLeast(view.role, 'admin')

/** Members with a lower role than one's own: one may remove, silence and ban them. */
export const outranks = (role: Role, other: Role): boolean => isAtLeast(role, 'admin') && ranks[role] > ranks[other]

export interface MessageRights {
  readonly reply: boolean
  readonly react: boolean
  readonly edit: boolean
  readonly remove: boolean
  readonly pin: boolean
  readonly forward: boolean
  /** What needs the message to be stored: star, thread, hide, remind, report. */
  readonly keep: boolean
}

const nothing: MessageRights = {
  reply: false,
  react: false,
  edit: false,
  remove: false,
  pin: false,
  forward: false,
  keep: false,
}

export function rightsTo(row: MessageRow, view: ConversationView | undefined): MessageRights {
  if (view === undefined || row.seq === undefined || row.state !== 'sent') return nothing
  if (row.removed !== undefined) return { ...nothing, keep: true }
  const mayPost = may(view, 'post')
  const isText = row.body.type === undefined || row.body.type === 'text'
  return {
    reply: mayPost,
    react: true,
    edit: row.own && isText && row.forwarded === undefined && mayPost,
    remove: row.own || isManager(view),
    pin: may(view, 'pin') && row.thread === undefined,
    forward: view.group?.forwarding !== false,
    keep: true,
  }
}
