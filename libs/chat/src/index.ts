export { type DirectFrom, directFroms } from './access.ts'
export {
  type ChatContext,
  type ChatLogger,
  type ChatOptions,
  type ChatPorts,
  type ChatSettings,
  chatDefaults,
  createChat,
  type Emission,
} from './context.ts'
export * as blocks from './blocks/index.ts'
export * as codes from './codes/index.ts'
export * as contacts from './contacts/index.ts'
export * as conversations from './conversations/index.ts'
export * as devices from './devices/index.ts'
export * as factors from './factors/index.ts'
export * as identities from './identities/index.ts'
export * as invitations from './invitations/index.ts'
export * as jobs from './jobs/index.ts'
export * as messages from './messages/index.ts'
export * as notifications from './notifications/index.ts'
export * as offline from './offline/index.ts'
export * as operators from './operators/index.ts'
export * as passkeys from './passkeys/index.ts'
export * as presence from './presence/index.ts'
export * as privacy from './privacy/index.ts'
export type { ConversationChange } from './pulse.ts'
export * as push from './push/index.ts'
export * as receipts from './receipts/index.ts'
export { type EntryRow, toEntries } from './entries.ts'
export { createSealer, type MasterKey, rewrapDataKeys, type Sealer } from './seal.ts'
export * as requests from './requests/index.ts'
export * as reports from './reports/index.ts'
export * as security from './security/index.ts'
export * as sessions from './sessions/index.ts'
export { checkDatabaseUrl, databaseUrlSentence } from './store/database-url.ts'
export { listMigrations, migrate } from './store/migrate.ts'
export { prepareSchema, type SchemaOptions } from './store/prepare-schema.ts'
export { createStoreClock, type StoreClock } from './store/clock.ts'
export { asRefusal } from './store/failures.ts'
export { createPool, type Pool } from './store/pool.ts'
export { watchOf } from './store/watch.ts'
export * as sync from './sync/index.ts'
export type { Turns } from './turns.ts'
export * as typing from './typing/index.ts'
export * as uploads from './uploads/index.ts'
export { upkeep, type Upkept, upkeptTables } from './upkeep.ts'
export * as users from './users/index.ts'
