/** The entry point for everyone: data and types. Nothing in it loads the schema library, so a browser's bundle stays small. */
export { bodyAs, mentionsAll, mentionsOf, quoted, refuseBody, textOf } from './body.ts'
export { type CloseName, closeAdvice, closeCodes } from './close-codes.ts'
export type { Down, Event, EventIn, EventName, EventOf, Reply } from './down.ts'
export type { ContactRequest } from './down/contacts.ts'
export type { ConversationRequest } from './down/conversation-requests.ts'
export type { JoinRequest } from './down/join-requests.ts'
export type { ConversationSettings } from './down/conversation-settings-changed.ts'
export type { Draft, DraftContent } from './down/draft-changed.ts'
export type { LocalTime, ScheduledMessage } from './down/scheduled.ts'
export type { Notification, NotificationKind } from './down/notifications.ts'
export { emojiRule, qualifyEmoji } from './emoji.ts'
export type { Entry, EntryKind, EntryOf, EntryOp, KindMadeBy } from './entries.ts'
export { type ErrorBody, type ErrorCode, errors, Refusal } from './errors.ts'
export type {
  Body,
  ContactBody,
  ConversationCursor,
  ConversationHead,
  GroupSettings,
  LocationBody,
  MemberRef,
  Permissions,
  PollBody,
  PostedBody,
  Quote,
  ReactionCounts,
  Removed,
  Role,
  TextBody,
  User,
} from './fields.ts'
export {
  conversationOf,
  type ConversationState,
  emptyConversation,
  fold,
  foldAll,
  foldReaction,
  hide,
  isExpired,
  isKnownKind,
  type MessageState,
  type Poll,
  quoteOf,
  type Replies,
} from './fold.ts'
export { avatarSizes, commandWeight, commandWeights, type Limits, limits, namedPerToken } from './limits.ts'
export { kindMadeBy } from './made-by.ts'
export type { Rest, RestAnswer, RestInput, RestUrl, Routes } from './rest.ts'
export type { SecurityEvent } from './rest/security.ts'
export type { UploadTarget } from './rest/avatars.ts'
export type { Block } from './rest/blocks.ts'
export type { CodeRequest, SubmittedCode } from './rest/codes.ts'
export type { ConnectAnswer } from './rest/connect.ts'
export type { Contact } from './rest/contacts.ts'
export type { ConversationRequestRead } from './rest/conversation-requests.ts'
export type { Conversation, UnreadCounts } from './rest/conversations.ts'
export type { Device } from './rest/devices.ts'
export type { Factors, RecoveryCodes } from './rest/factors.ts'
export type { ClientInfo } from './rest/fields.ts'
export type { HiddenMessage } from './rest/hidden-messages.ts'
export type { Ban } from './rest/groups.ts'
export type { Identity } from './rest/identities.ts'
export type { Invitation } from './rest/invitations.ts'
export type { InviteLink, InvitePreview } from './rest/invite-links.ts'
export type { Reaction } from './rest/messages.ts'
export type { Member } from './rest/members.ts'
export type { MessageVersion } from './rest/message-changes.ts'
export type { Unread } from './rest/notifications.ts'
export type { AccountStatus, OperatorActionItem } from './rest/operator-actions.ts'
export type { DeadJob, TracedPush } from './rest/operator-push.ts'
export type { OpenReport } from './rest/operator-reports.ts'
export type { Session } from './rest/own-sessions.ts'
export type {
  CreatedPasskey,
  Passkey,
  PasskeyCreationOptions,
  PasskeyRequestOptions,
  UsedPasskey,
} from './rest/passkeys.ts'
export type { Me, Profile, Settings } from './rest/profile.ts'
export type { Provider, AuthorizationGrant, Authorization } from './rest/providers.ts'
export type { Check, RegistrationRules, Work } from './rest/registration.ts'
export type { Reminder } from './rest/reminders.ts'
export type { Report } from './rest/reports.ts'
export type { Reauthentication } from './rest/second-factor.ts'
export type { Needs } from './rest/route.ts'
export type { SecondFactorChallenge, SignedIn } from './rest/sessions.ts'
export * from './rest/words.ts'
export {
  bytesOf,
  cutText,
  flawOfLine,
  isolated,
  isVisible,
  isWellFormed,
  lengthOf,
  mended,
  visibleRule,
  wellFormedRule,
} from './text.ts'
export type { DeliveryClass } from './message.ts'
export type { Command, CommandOf, Op, ReplyOf, Up } from './up.ts'
export type { Verdict } from './up/sync-resume.ts'
export { protocolVersion, protocolVersionMin, wireHash } from './version.ts'
