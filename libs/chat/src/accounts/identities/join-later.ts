/**
 * An identity that joins an account by its address when the sign-in is finished: whoever has taken over an account
 * elsewhere, or its address, has not the second factor of the account here.
 */
import { Refusal } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import type { AccountsContext } from '../context.ts'
import type { ClientDevice } from '../../notices/security/client-device.ts'
import { attach, findOwn, isSame } from './link.ts'
import type { Profile } from './profile.ts'
import { openText, type SealedText, sealText } from './authorization.ts'

interface Joining {
  readonly user: string
  readonly provider: string
  readonly profile: Profile
}

const boundOf = (user: string) => `joining-identity ${user}`

/** For the challenge of the second step, which lies in the store in the clear. */
export const sealJoin = (ctx: AccountsContext, { user, ...joining }: Joining): SealedText =>
  sealText(ctx, boundOf(user), JSON.stringify(joining))

/**
 * The second factor was shown.
 * @param tx the transaction, which holds the person's row
 * @throws Refusal identity_taken (by another meanwhile)
 */
export async function joinNow(
  ctx: AccountsContext,
  tx: PoolClient,
  input: {
    readonly user: string
    readonly sealed: SealedText
    readonly session: string
    readonly client: ClientDevice
  },
): Promise<void> {
  const { user, sealed, session, client } = input
  const { provider, profile } = JSON.parse(await openText(ctx, boundOf(user), sealed, tx)) as Omit<Joining, 'user'>
  const there = await findOwn(tx, user, provider)
  if (there !== undefined && isSame(there, profile)) return
  if (there !== undefined) throw new Refusal('identity_taken')
  await attach(ctx, tx, { user, provider, profile, session, client, by: 'address' })
}
