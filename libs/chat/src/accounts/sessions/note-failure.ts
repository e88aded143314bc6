import type { AccountsContext } from '../context.ts'
import { note } from '../../notices/security/note.ts'
import type { ClientDevice } from '../../notices/security/client-device.ts'

/** So many failures in a row within an hour are in the trail; more would only push the rest out of sight. */
const failuresNotedMax = 20

const failedLately = `
SELECT count(*)::int AS count FROM (
  SELECT kind, at FROM security_events WHERE user_id = $1 ORDER BY id DESC LIMIT $2
) last WHERE kind = 'sign_in_failed' AND at > now() - interval '1 hour'`

/**
 * Notes that somebody tried to sign in and failed. Nobody waits for it, and it begins after the answer has gone: the time
 * of the answer must not tell that there is an account.
 * @param find whose account it was about, if it was one
 */
export function noteFailure(
  ctx: AccountsContext,
  find: () => Promise<string | undefined>,
  client: ClientDevice,
  by: 'password' | 'email_code' | 'passkey',
): void {
  const write = async () => {
    const user = await find()
    if (user === undefined) return
    const lately = await ctx.pool.query<{ count: number }>(failedLately, [user, failuresNotedMax])
    if ((lately.rows[0]?.count ?? 0) < failuresNotedMax)
      await note(ctx, { user, kind: 'sign_in_failed', client, detail: { by } })
  }
  setImmediate(() => {
    write().catch((error: unknown) => ctx.logger.warn({ err: error }, 'unable to record a failed sign-in'))
  })
}
