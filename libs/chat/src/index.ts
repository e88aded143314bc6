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
export * as conversations from './conversations/index.ts'
export * as messages from './messages/index.ts'
export * as offline from './offline/index.ts'
export * as presence from './presence/index.ts'
export * as receipts from './receipts/index.ts'
export { type EntryRow, toEntries } from './entries.ts'
export { createSealer, type MasterKey, rewrapDataKeys, type Sealer } from './seal.ts'
export * as sessions from './sessions/index.ts'
export { listMigrations, migrate } from './store/migrate.ts'
export { asRefusal, createPool, type Pool } from './store/pool.ts'
export * as sync from './sync/index.ts'
export * as typing from './typing/index.ts'
export * as users from './users/index.ts'
