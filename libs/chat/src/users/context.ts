/** What verbs about people need beyond the store: who hears of a change, and what of people is held in memory. */
import { type DirectFrom, directFroms } from '@flotilla/protocol'
import type { ChatPorts } from '../ports.ts'
import type { StoreContext, StoreSettings } from '../store/context.ts'
import { createLastSeen, type LastSeen } from './last-seen.ts'
import { createRestrictions, type Restrictions } from './restrictions.ts'

export interface UsersSettings extends StoreSettings {
  /** Those who leave wait so long, for when they were last here to be written together. */
  readonly lastSeenWindowMs: number
  /** What the deployment is called: no name and no password may be that. */
  readonly deploymentName: string
  /** Names of which nobody's may be made, beside those that are reserved anyway. */
  readonly reservedNames: readonly string[]
  /** Who may put people into conversations without asking them first, where they have not said so themselves. */
  readonly directFrom: DirectFrom
  /** What people may say about that themselves; for who has said anything else, `directFrom` counts. */
  readonly directFromAllowed: readonly DirectFrom[]
}

export const usersDefaults = {
  lastSeenWindowMs: 2_000,
  deploymentName: 'Flotilla',
  reservedNames: [],
  directFrom: 'known',
  directFromAllowed: directFroms,
} satisfies Partial<UsersSettings>

export interface UsersContext extends StoreContext {
  readonly settings: UsersSettings
  readonly emit: ChatPorts['emit']
  readonly lastSeen: LastSeen
  readonly restrictions: Restrictions
}

export function openUsers<S extends UsersSettings>(
  store: StoreContext & { readonly settings: S },
  { emit }: Pick<ChatPorts, 'emit'>,
): UsersContext & { readonly settings: S } {
  const { pool, logger, settings } = store
  return {
    ...store,
    emit,
    lastSeen: createLastSeen({ pool, logger, windowMs: settings.lastSeenWindowMs }),
    restrictions: createRestrictions({ pool }),
  }
}
