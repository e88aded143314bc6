/** What verbs need that tell somebody apart from conversations: in the app, and by mail. */
import type { UsersContext, UsersSettings } from '../users/context.ts'

export interface NoticesSettings extends UsersSettings {
  /** Whether a worker sends mail. Without it nothing that needs an address can be begun. */
  readonly mail: boolean
  /** What happens to an account within so long after a mail about it is told by one more. */
  readonly securityMailWindowMs: number
}

export const noticesDefaults = {
  mail: true,
  securityMailWindowMs: 5 * 60_000,
} satisfies Partial<NoticesSettings>

export interface NoticesContext extends UsersContext {
  readonly settings: NoticesSettings
}
