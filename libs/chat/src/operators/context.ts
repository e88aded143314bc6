/** What operators' verbs need: they act on accounts and on the log. */
import type { AccountsContext, AccountsSettings } from '../accounts/context.ts'
import type { LogContext, LogSettings } from '../log/context.ts'

export interface OperatorsContext extends AccountsContext, LogContext {
  readonly settings: AccountsSettings & LogSettings
}
