/** The door for everybody: data and types. Nothing behind it loads the schema library, so a browser's bundle stays small. */
export { refuseBody } from './body.ts'
export { type CloseName, closeAdvice, closeCodes } from './close-codes.ts'
export type { Down, Event, EventName, EventOf, Reply } from './down.ts'
export type { ContactRequest } from './down/contacts.ts'
export type { ConversationRequest } from './down/conversation-requests.ts'
export type { Notification, NotificationKind } from './down/notifications.ts'
export type { Entry, EntryKind, EntryOf } from './entry.ts'
export { type ErrorBody, type ErrorCode, errors, Refusal } from './errors.ts'
export type { Body, ConversationCursor, ConversationHead, MemberRef, Role, User } from './fields.ts'
export { avatarSizes, commandWeight, commandWeights, type Limits, limits, namedPerToken } from './limits.ts'
export {
  bytesOf,
  cutText,
  isVisible,
  isWellFormed,
  lengthOf,
  mended,
  visibleRule,
  wellFormedRule,
} from './text.ts'
export type { Command, CommandOf, Op, ReplyOf, Up } from './up.ts'
export type { Verdict } from './up/sync-resume.ts'
export { protocolVersion, protocolVersionMin, wireHash } from './version.ts'
