/** What the end of an account and the upkeep need: all that somebody has left anywhere. */
import type { AccountsContext, AccountsSettings } from '../accounts/context.ts'
import type { PeopleContext, PeopleSettings } from '../people/context.ts'

export interface LifecycleSettings extends AccountsSettings, PeopleSettings {
  /** Between the two steps of an erasure, so that what was under way has ended. Longer than a pulse looks back. */
  readonly erasureSettleMs: number
}

export const lifecycleDefaults = { erasureSettleMs: 60_000 } satisfies Partial<LifecycleSettings>

export interface LifecycleContext extends AccountsContext, PeopleContext {
  readonly settings: LifecycleSettings
}
