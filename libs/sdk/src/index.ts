export { type AvatarSize, avatarUrl } from './avatar-url.ts'
export { type Clock, type Random, systemClock } from './clock.ts'
export { Client, createClient } from './client.ts'
export type { ConnectionState, Socket, SocketConstructor, SocketEvent, Stop, StopReason } from './connection.ts'
export type { Archive, Change, Place } from './delivery.ts'
export { FlotillaError, type FlotillaErrorCode } from './flotilla-error.ts'
export type { Fetch, FileBytes } from './http.ts'
export {
  type ClientEvents,
  type ClientOptions,
  type ClientSettings,
  type ContactChange,
  type ConversationRequestChange,
  clientDefaults,
  type Logger,
  type NotificationChange,
  type Told,
} from './options.ts'
export type { Ack, Edit, Message, Send, SendState } from './outbox.ts'
export type { Presence } from './presence.ts'
export type { Receipt } from './receipts.ts'
export type { AskedCode, SecurityEvent, ShownCode } from './rest/account.ts'
export type { Block } from './rest/blocks.ts'
export type { Contact, ContactQuestion, Requested } from './rest/contacts.ts'
export type { ConversationRequestRead } from './rest/conversation-requests.ts'
export type { Device, DeviceRegistration, Platform, PushSubscriptionData } from './rest/devices.ts'
export type { Factors, RecoveryCodes } from './rest/factors.ts'
export { type Identity, readVisit, type ShownVisit, type Visit } from './rest/identities.ts'
export type { Invitation } from './rest/invitations.ts'
export type { Unread } from './rest/notifications.ts'
export type {
  CreatedPasskey,
  Passkey,
  PasskeyCeremonies,
  PasskeyCreationOptions,
  PasskeyRequestOptions,
  UsedPasskey,
} from './rest/passkeys.ts'
export type { Me, Profile, User } from './rest/people.ts'
export type { Audience, Settings } from './rest/profile.ts'
export type { Report, ReportReason } from './rest/reports.ts'
export type { Session, Whence } from './rest/sessions.ts'
export type { GetToken, Page } from './rest/signed.ts'
export { type Conversation, type HistoryRange, type Member, mutedForEver, type Rest } from './rest.ts'
export type {
  DeviceStore,
  Factor,
  SecondFactorNeeded,
  SessionStore,
  SignInAnswer,
  StoredSession,
} from './session-keeper.ts'
export {
  type Credentials,
  createSignIn,
  type PasskeyRegistration,
  type Proof,
  type Provider,
  type Registration,
  type RegistrationRules,
  type SecondFactor,
  type SignIn,
  type SignInOptions,
} from './sign-in.ts'
export type { Store, Stored, StoredCursor, StoredSend } from './store.ts'
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
export { type SolveWork, solveWork, type Work } from './work.ts'
export {
  type ConversationState,
  emptyConversation,
  fold,
  foldAll,
  type MessageState,
  textOf,
} from '@flotilla/protocol'
export type { ContactRequest, ConversationRequest, Notification, NotificationKind } from '@flotilla/protocol'
