export { type AvatarSize, avatarUrl } from './avatar-url.ts'
export { type Clock, type Random, systemClock } from './clock.ts'
export { Client, createClient } from './client.ts'
export type { ConnectionState, Socket, SocketConstructor, SocketEvent, Stop, StopReason } from './connection.ts'
export type { Archive, Change, LogPosition } from './delivery.ts'
export type { DraftChange } from './drafts.ts'
export { FlotillaError, type FlotillaErrorCode } from './flotilla-error.ts'
export type { Fetch, FileBytes } from './http.ts'
export {
  type ClientEvents,
  type ClientOptions,
  type ClientSettings,
  type ContactChange,
  type ConversationRequestChange,
  type JoinRequestChange,
  clientDefaults,
  type Logger,
  type NotificationChange,
  type Delivered,
} from './options.ts'
export type { Ack, Edit, Forward, Message, Question, Send, SendState } from './outbox.ts'
export type { Presence } from './presence.ts'
export type { Receipt } from './receipts.ts'
export type { GetToken, Page } from './rest/ask.ts'
export type { ContactRequestResult, NewContactRequest } from './rest/contacts.ts'
export type { ConversationFilter, HistoryRange } from './rest/conversations.ts'
export type { DeviceRegistration, Platform, PushSubscriptionData } from './rest/devices.ts'
export { readAuthorizationResult } from './rest/identities.ts'
export type { PasskeyCeremonies } from './rest/passkeys.ts'
export type { Rest } from './rest.ts'
export type {
  DeviceStore,
  SessionStore,
  SignInAnswer,
  StoredSession,
} from './session-keeper.ts'
export { createIndexedDbSessions, type IndexedDbSessionsOptions } from './sessions-indexeddb.ts'
export {
  type Credentials,
  createSignIn,
  type PasskeyRegistration,
  type Reauthentication,
  type Registration,
  type SecondFactor,
  type SignIn,
  type SignInOptions,
} from './sign-in.ts'
export type { Store, Stored, StoredCursor, StoredDraft, StoredSend } from './store.ts'
export {
  createIndexedDbStore,
  type DatabaseFactory,
  type IndexedDbStore,
  type IndexedDbStoreOptions,
} from './store-indexeddb.ts'
export { createMemoryStore } from './store-memory.ts'
export type { HistoryStart } from './sync.ts'
export type { Typing } from './typing.ts'
export type { WakeSource } from './wake.ts'
export { type SolveWork, solveWork } from './work.ts'
export {
  type CodeRequest,
  type Audience,
  type Ban,
  type Block,
  type Body,
  bodyAs,
  type Contact,
  type ContactBody,
  type ContactRequest,
  type Conversation,
  type ConversationState,
  emptyConversation,
  fold,
  foldAll,
  isExpired,
  type LocalTime,
  type LocationBody,
  mentionsAll,
  mentionsOf,
  type MessageState,
  type PostedBody,
  type TextBody,
  type Poll,
  type PollBody,
  type Replies,
  textOf,
  type ConversationSettings,
  type Draft,
  type DraftContent,
  type NotifyRule,
  type UnreadCounts,
  type ConversationRequest,
  type ConversationRequestRead,
  type CreatedPasskey,
  type Device,
  type Factor,
  type Factors,
  type Identity,
  type GroupSettings,
  type Invitation,
  type InviteLink,
  type InvitePreview,
  type JoinRequest,
  type Me,
  type Member,
  mutedForEver,
  type Notification,
  type NotificationKind,
  type Passkey,
  type Permissions,
  type PasskeyCreationOptions,
  type PasskeyRequestOptions,
  type Profile,
  type Provider,
  type RecoveryCodes,
  type RegistrationRules,
  type Reminder,
  type Report,
  type ReportReason,
  type ScheduledMessage,
  type SecondFactorChallenge,
  type SecurityEvent,
  type Session,
  type Settings,
  type SubmittedCode,
  type AuthorizationGrant,
  type Unread,
  type UsedPasskey,
  type User,
  type Authorization,
  type ClientInfo,
  type Work,
} from '@flotilla/protocol'
