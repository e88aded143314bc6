/** Ends sessions of one's own from another one: the lost phone, the computer of a library. */
import { Refusal } from '@flotilla/protocol'
import type { AccountsContext } from '../context.ts'
import { note } from '../../notices/security/note.ts'
import { transaction } from '../../store/transaction.ts'
import type { ClientDevice } from '../../notices/security/client-device.ts'
import { endAll, endOwn } from './end.ts'

/**
 * @param input.client where it is asked for
 * @throws Refusal session_unknown, also when it is somebody else's or has ended
 */
export async function revoke(
  ctx: AccountsContext,
  by: string,
  input: { readonly session: string; readonly client: ClientDevice },
): Promise<void> {
  const { session, client } = input
  await transaction(ctx, async tx => {
    const ended = await endOwn(ctx, by, session, tx)
    if (ended === undefined) throw new Refusal('session_unknown')
    const detail = { device: ended.deviceName }
    await note(ctx, { user: by, kind: 'session_revoked', session, client, detail }, tx)
  })
}

/**
 * Ends all of the caller's sessions.
 * @param input.except the one that stays
 * @returns how many have ended
 */
export async function revokeAll(
  ctx: AccountsContext,
  by: string,
  input: { readonly except?: string | undefined; readonly client: ClientDevice },
): Promise<number> {
  const { except, client } = input
  return transaction(ctx, async tx => {
    const ended = await endAll(ctx, { user: by, except }, tx)
    for (const { id, deviceName } of ended.slice(0, notedMax))
      await note(ctx, { user: by, kind: 'session_revoked', session: id, client, detail: { device: deviceName } }, tx)
    return ended.length
  })
}

/** Lines of the trail for one request. */
const notedMax = 100
