/** The domain as an app opens it: the wings joined, with every setting that an operator may turn and its default. */
import { accountsDefaults, openAccounts } from './accounts/context.ts'
import { type LifecycleContext, type LifecycleSettings, lifecycleDefaults } from './lifecycle/context.ts'
import { logDefaults, type LogOptions, openLog } from './log/context.ts'
import { noticesDefaults } from './notices/context.ts'
import { openPeople, peopleDefaults } from './people/context.ts'
import { type PushContext, pushDefaults, type PushSettings } from './push/context.ts'
import { openStore, storeDefaults, type StoreOptions } from './store/context.ts'
import { openUsers, usersDefaults } from './users/context.ts'

export interface ChatSettings extends LifecycleSettings, PushSettings {}

export const chatDefaults: ChatSettings = {
  ...storeDefaults,
  ...usersDefaults,
  ...noticesDefaults,
  ...accountsDefaults,
  ...logDefaults,
  ...peopleDefaults,
  ...pushDefaults,
  ...lifecycleDefaults,
}

export interface ChatContext extends LifecycleContext, PushContext {
  readonly settings: ChatSettings
  /** Writes what waits, stops the timers. The pool stays open: it is the caller's. */
  close(): Promise<void>
}

export interface ChatOptions extends StoreOptions, LogOptions {
  readonly settings?: Partial<ChatSettings>
}

/** Opens the domain on a migrated database. */
export async function createChat(options: ChatOptions): Promise<ChatContext> {
  const settings = { ...chatDefaults, ...options.settings }
  const users = openUsers(await openStore(options, settings), options)
  const accounts = openAccounts(users)
  const log = await openLog(users, options)
  log.pulse.onRevoked(sessions => accounts.admissions.forget(sessions))
  return {
    ...users,
    ...accounts,
    ...log,
    ...openPeople(settings),
    async close() {
      await Promise.all([log.close(), users.lastSeen.close()])
    },
  }
}
