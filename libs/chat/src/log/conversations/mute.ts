import type { LogContext } from '../context.ts'
import { changeSettings } from './settings.ts'

/**
 * No push tells the caller of the conversation until then.
 * @param input.until milliseconds since 1970; null, or a time that has passed, ends it
 * @throws Refusal conversation_unknown, not_a_member
 */
export async function mute(
  ctx: LogContext,
  by: string,
  { conversation, until }: { conversation: string; until: number | null },
): Promise<void> {
  await changeSettings(ctx, by, { conversation, mutedUntil: until })
}
