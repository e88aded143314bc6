export { asyncApiDocument, commandExamples } from './asyncapi.ts'
export { refuseBody, textOf } from './body.ts'
export { type CloseName, closeAdvice, closeCodes } from './close-codes.ts'
export { decodeCommand, explain, type Finding, isUndecodable, ops, type Undecodable } from './decode.ts'
export {
  exampleOf,
  type FieldValues,
  joinWords,
  type Json,
  openAnswers,
  rewrite,
  type Schema,
  wireValues,
} from './document.ts'
export { type Down, down, type Event, type EventName, type EventOf, type Reply } from './down.ts'
export { ErrorSchema } from './down/error.ts'
export { ContactRequest } from './down/contacts.ts'
export { ConversationRequest } from './down/conversation-requests.ts'
export { Notification, NotificationKind, UnreadNotifications } from './down/notifications.ts'
export {
  Entry,
  type EntryKind,
  type EntryOf,
  type EntryOp,
  entries,
  entryCommands,
  type KindMadeBy,
} from './entries.ts'
export { type ErrorBody, type ErrorCode, errors, Refusal } from './errors.ts'
export {
  At,
  avatarSizes,
  Body,
  ConversationCursor,
  ConversationHead,
  Cursor,
  Epoch,
  MemberRef,
  Role,
  Seq,
  TextBody,
  User,
  Uuid,
} from './fields.ts'
export { type ConversationState, emptyConversation, fold, foldAll, isKnownKind, type MessageState } from './fold.ts'
export { kindMadeBy } from './made-by.ts'
export { refuseSource } from './json.ts'
export { commandWeight, commandWeights, type Limits, limits, namedPerToken } from './limits.ts'
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
export { type Command, type CommandOf, type Op, type ReplyOf, type Up, up } from './up.ts'
export { Ack } from './message.ts'
export { Verdict } from './up/sync-resume.ts'
export { protocolVersion, protocolVersionMin, wireHash } from './version.ts'
