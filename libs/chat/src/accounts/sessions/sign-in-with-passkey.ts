import { Refusal, type SecondFactorChallenge } from '@flotilla/protocol'
import { takeChallenge } from '../../store/challenges.ts'
import type { AccountsContext } from '../context.ts'
import { beginCeremony, type Ceremony, type ShownPasskey } from '../passkeys/passkey.ts'
import { show } from '../passkeys/show.ts'
import { get } from '../../users/get.ts'
import { begin, type SignedIn } from './begin.ts'
import type { ClientDevice } from '../../notices/security/client-device.ts'
import { noteFailure } from './note-failure.ts'

/** Begins a sign-in. The authenticator offers what it has: nobody is named here, so nothing tells who exists. */
export function beginByPasskey(ctx: AccountsContext): Promise<Ceremony> {
  return beginCeremony(ctx, 'passkey-sign-in')
}

/**
 * Signs in by a passkey, which must have checked its owner: that makes it two factors in one.
 * @throws Refusal challenge_invalid, passkey_invalid, field_invalid (the name of the device)
 */
export async function signInWithPasskey(
  ctx: AccountsContext,
  input: { readonly challenge: string; readonly passkey: ShownPasskey; readonly client: ClientDevice },
): Promise<SignedIn | SecondFactorChallenge> {
  const { passkey, client } = input
  const { nonce } = await takeChallenge<{ nonce: string }>(ctx, input.challenge, { kind: 'passkey-sign-in' })
  const { owner, holds } = await show(ctx, passkey, { nonce, ownerChecked: true })
  if (!holds) noteFailure(ctx, async () => owner, client, 'passkey')
  const [user] = owner === undefined || !holds ? [] : await get(ctx, [owner])
  if (user === undefined) throw new Refusal('passkey_invalid')
  return begin(ctx, user, 'passkey', client)
}
