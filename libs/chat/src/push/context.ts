/** What verbs need that wake those who are away. */
import type { LogContext, LogSettings } from '../log/context.ts'

export interface PushSettings extends LogSettings {
  /** Push devices of one person; the longest unseen goes. */
  readonly devicesMax: number
  /** How long a push waits, in case the person is just reconnecting. */
  readonly pushDelayMs: number
  /** Of one conversation no device gets a second push within so long: what comes meanwhile is gathered. */
  readonly pushCollapseMs: number
  /** How long one attempt to send a push may take. */
  readonly pushSendMs: number
  readonly pushAttemptsMax: number
  /** Between two attempts: doubled each time, up to the second one. */
  readonly pushRetryMs: { readonly first: number; readonly max: number }
  /** Whether a push may name people and groups at all. Everybody may also choose that for themselves. */
  readonly pushNames: boolean
}

export const pushDefaults = {
  devicesMax: 20,
  pushDelayMs: 2_000,
  pushCollapseMs: 30_000,
  pushSendMs: 10_000,
  pushAttemptsMax: 12,
  pushRetryMs: { first: 1_000, max: 15 * 60_000 },
  pushNames: true,
} satisfies Partial<PushSettings>

export interface PushContext extends LogContext {
  readonly settings: PushSettings
}
