/**
 * A device that wants pushes. It belongs to the sign-in that registers it, and a token belongs to one person: who
 * registers it last. So a phone that changes hands never gets what is meant for whoever had it before.
 */
import { createHash, randomUUID } from 'node:crypto'
import { type Device, Refusal } from '@flotilla/protocol'
import type { PushContext } from '../context.ts'
import { checkName } from '../../text/names.ts'
import { checkWebPush, type WebPushKeys } from './web-push.ts'
import { deviceColumns, type DeviceRow, goodSession, lastSeen, toDevice } from './device.ts'

export interface DeviceInput {
  /** What the person calls it. */
  readonly name: string
  readonly platform: Device['platform']
  readonly provider: Device['provider']
  /** With `fcm`. */
  readonly token?: string | undefined
  /** With `webpush`. */
  readonly subscription?: { readonly endpoint: string; readonly keys: WebPushKeys } | undefined
}

/** With another owner it is another device: what is on its way to the old one must not arrive at the new one. */
const upsert = `
INSERT INTO devices AS d (id, user_id, session_id, name, platform, provider, token, web_keys, token_hash)
SELECT $1, s.user_id, s.id, $4, $5, $6, $7, $8, $9 FROM sessions s WHERE s.id = $3 AND s.user_id = $2 AND ${goodSession}
    ON CONFLICT (token_hash) DO UPDATE
   SET id = CASE WHEN d.user_id = EXCLUDED.user_id THEN d.id ELSE EXCLUDED.id END,
       created_at = CASE WHEN d.user_id = EXCLUDED.user_id THEN d.created_at ELSE EXCLUDED.created_at END,
       user_id = EXCLUDED.user_id, session_id = EXCLUDED.session_id, name = EXCLUDED.name, platform = EXCLUDED.platform,
       provider = EXCLUDED.provider, token = EXCLUDED.token, web_keys = EXCLUDED.web_keys, seen_at = EXCLUDED.seen_at
RETURNING ${deviceColumns}`

/**
 * Those whose session has ended, and those beyond the maximum, the longest unseen first. An app registers by itself when
 * it starts, where nobody would see a refusal: the new phone would stay silent for the sake of one that lies in a drawer.
 */
const trim = `
WITH mine AS (
  SELECT d.id, ${goodSession} AS good, row_number() OVER (ORDER BY (${goodSession}) DESC, ${lastSeen} DESC, d.id) AS place
    FROM devices d JOIN sessions s ON s.id = d.session_id WHERE d.user_id = $1
)
DELETE FROM devices WHERE id IN (SELECT id FROM mine WHERE NOT good OR place > $2)`

/**
 * Registers the caller's device, or, by the same token, renews it.
 * @param webPushHosts the hosts of push services that the deployment sends to
 * @throws Refusal field_invalid, unauthenticated (the session has just ended)
 */
export async function register(
  ctx: PushContext,
  by: { readonly user: string; readonly session: string },
  input: DeviceInput,
  webPushHosts: readonly string[],
): Promise<Device> {
  const name = checkName(input.name, 'name')
  const { token, keys } = addressOf(input, webPushHosts)
  const tokenHash = createHash('sha256').update(`${input.provider} ${token}`).digest()
  const found = await ctx.pool.query<DeviceRow>(upsert, [
    randomUUID(),
    by.user,
    by.session,
    name,
    input.platform,
    input.provider,
    token,
    keys === undefined ? null : JSON.stringify(keys),
    tokenHash,
  ])
  const row = found.rows[0]
  if (row === undefined) throw new Refusal('unauthenticated')
  // After the commit of one's own row: of several at once the last sees them all.
  await ctx.pool.query(trim, [by.user, ctx.settings.devicesMax])
  return toDevice(row, by.session)
}

/** Where its pushes go. */
function addressOf(input: DeviceInput, webPushHosts: readonly string[]): { token: string; keys?: WebPushKeys } {
  const { provider, token, subscription } = input
  const wanted = provider === 'fcm' ? 'token' : 'subscription'
  const other = provider === 'fcm' ? 'subscription' : 'token'
  const refuse = (field: string, rule: string) =>
    new Refusal('field_invalid', `${field}: ${rule} with ${provider}`, { field, rule })
  if (input[other] !== undefined) throw refuse(other, 'not allowed')
  if (provider === 'fcm' && token !== undefined) return { token }
  if (provider === 'webpush' && subscription !== undefined)
    return { token: checkWebPush(subscription, webPushHosts), keys: subscription.keys }
  throw refuse(wanted, 'required')
}
