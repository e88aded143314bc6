export { type Clock, type Random, systemClock } from './clock.ts'
export { Client, createClient } from './client.ts'
export type { ConnectionState, Socket, SocketConstructor, SocketEvent } from './connection.ts'
export type { Archive, Change, Place } from './delivery.ts'
export { FlotillaError, type FlotillaErrorCode } from './flotilla-error.ts'
export type { Fetch } from './http.ts'
export { type ClientEvents, type ClientOptions, type ClientSettings, clientDefaults, type Logger } from './options.ts'
export type { Ack, Message, Send, SendState } from './outbox.ts'
export type { Presence } from './presence.ts'
export type { Receipt } from './receipts.ts'
export type { Conversation, GetToken, HistoryRange, Member, Rest, User } from './rest.ts'
export {
  type Credentials,
  createSignIn,
  type SessionStore,
  type SignIn,
  type SignInOptions,
  type StoredSession,
} from './sign-in.ts'
export type { Store, Stored, StoredCursor, StoredSend } from './store.ts'
export { createIndexedDbStore, type IndexedDbStore, type IndexedDbStoreOptions } from './store-indexeddb.ts'
export { createMemoryStore } from './store-memory.ts'
export type { Typing } from './typing.ts'
export type { WakeSource } from './wake.ts'
