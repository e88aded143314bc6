/** A new passkey for somebody who is signed in. */
import { type Passkey, passkeysMax, Refusal } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import { takeChallenge } from '../../store/challenges.ts'
import type { AccountsContext } from '../context.ts'
import { checkName } from '../../text/names.ts'
import { note } from '../../notices/security/note.ts'
import type { ClientDevice } from '../../notices/security/client-device.ts'
import { demandReauthentication } from '../sessions/demand-reauthentication.ts'
import { uniqueViolation } from '../../store/failures.ts'
import { transaction } from '../../store/transaction.ts'
import { holdUsers } from '../../users/hold.ts'
import { beginCeremony, type Ceremony, type MadePasskey, type NewPasskey, type PasskeyRef, refsOf } from './passkey.ts'

/** Whom the authenticator shows the passkey for, and those that it must not hold already. */
export interface AddCeremony extends Ceremony {
  readonly user: string
  readonly username: string
  readonly displayName: string
  readonly known: readonly PasskeyRef[]
}

/** @throws Refusal reauthentication_required, limit_reached */
export async function beginAdd(
  ctx: AccountsContext,
  by: string,
  input: { readonly session: string },
): Promise<AddCeremony> {
  await demandReauthentication(ctx, input.session)
  const known = await refsOf(ctx, by)
  if (known.length >= passkeysMax) throw tooMany()
  const found = await ctx.pool.query<{ username: string; displayName: string }>(
    'SELECT username, display_name AS "displayName" FROM users WHERE id = $1',
    [by],
  )
  const row = found.rows[0]
  if (row === undefined) throw new Refusal('user_unknown')
  return { ...(await beginCeremony(ctx, 'passkey-add', { user: by })), ...row, user: by, known }
}

/** @throws Refusal field_invalid (the name), challenge_invalid, passkey_invalid, limit_reached */
export async function add(
  ctx: AccountsContext,
  by: string,
  input: {
    readonly challenge: string
    readonly passkey: NewPasskey
    readonly name: string
    readonly session: string
    readonly client: ClientDevice
  },
): Promise<Passkey> {
  const { session, client } = input
  const name = checkName(input.name, 'name')
  const { nonce } = await takeChallenge<{ nonce: string }>(ctx, input.challenge, { kind: 'passkey-add', user: by })
  const made = await input.passkey.verify(nonce)
  if (made === undefined) throw new Refusal('passkey_invalid')
  return transaction(ctx, async tx => {
    // Two at once are counted one after the other.
    await holdUsers(tx, [by])
    const counted = await tx.query<{ count: number }>('SELECT count(*) FROM passkeys WHERE user_id = $1', [by])
    if (counted.rows[0]!.count >= passkeysMax) throw tooMany()
    const passkey = await insertPasskey(tx, by, made, name)
    await note(ctx, { user: by, kind: 'passkey_added', session, client, detail: { name } }, tx)
    return passkey
  })
}

/** @throws Refusal passkey_invalid when the passkey belongs to somebody already */
export async function insertPasskey(tx: PoolClient, user: string, made: MadePasskey, name: string): Promise<Passkey> {
  const { id, publicKey, counter, transports, synced } = made
  try {
    const inserted = await tx.query<{ created_at: Date }>(
      `INSERT INTO passkeys (id, user_id, name, public_key, counter, transports, synced)
       VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING created_at`,
      [id, user, name, publicKey, counter, transports.join(','), synced],
    )
    return { id, name, synced, createdAt: inserted.rows[0]!.created_at.getTime(), usedAt: null }
  } catch (error) {
    if (uniqueViolation(error)?.table === 'passkeys') throw new Refusal('passkey_invalid')
    throw error
  }
}

const tooMany = () => new Refusal('limit_reached', undefined, { rule: `at most ${passkeysMax}` })
