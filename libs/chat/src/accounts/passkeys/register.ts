/** An account that is opened with a passkey: no password, no address, nothing to remember. */
import { randomUUID } from 'node:crypto'
import { Refusal } from '@flotilla/protocol'
import { takeChallenge } from '../../store/challenges.ts'
import type { AccountsContext } from '../context.ts'
import { checkName } from '../../text/names.ts'
import { paperCodeHash } from '../../text/paper-codes.ts'
import { note } from '../../notices/security/note.ts'
import { openFirst, type SignedIn } from '../sessions/begin.ts'
import type { ClientDevice } from '../../notices/security/client-device.ts'
import { transaction } from '../../store/transaction.ts'
import { checkNewUsername, create, demandUsernameFree } from '../registration/create.ts'
import { checkDisplayName } from '../../users/display-name.ts'
import { demandMayRegister } from '../registration/may-register.ts'
import { insertPasskey } from './add.ts'
import { beginCeremony, type Ceremony, type NewPasskey } from './passkey.ts'

export interface RegisterCeremony extends Ceremony {
  /** Who the person will be: the authenticator keeps it with the passkey. */
  readonly user: string
  readonly username: string
  readonly displayName: string
}

interface Wanted {
  readonly user: string
  readonly username: string
  readonly displayName: string
  /** The hash of the code, in hexadecimal. */
  readonly invitation?: string
  readonly nonce: string
}

/** The first passkey of a person has no name of their own yet. */
const firstName = 'Passkey'

/** @throws Refusal field_invalid, username_taken, registration_closed, invitation_invalid */
export async function beginRegister(
  ctx: AccountsContext,
  input: {
    readonly username: string
    readonly displayName?: string | undefined
    readonly invitation?: string | undefined
  },
): Promise<RegisterCeremony> {
  const username = checkNewUsername(ctx, input.username)
  const displayName = input.displayName === undefined ? username : checkDisplayName(ctx, input.displayName)
  const invitation = input.invitation === undefined ? undefined : paperCodeHash(input.invitation)
  await demandMayRegister(ctx, { invitation })
  await demandUsernameFree(ctx, username)
  const wanted = { user: randomUUID(), username, displayName }
  const data = { ...wanted, ...(invitation === undefined ? {} : { invitation: invitation.toString('hex') }) }
  return { ...(await beginCeremony(ctx, 'passkey-register', { data })), ...wanted }
}

/**
 * @throws Refusal challenge_invalid, passkey_invalid, username_taken and invitation_invalid (by another meanwhile),
 *   field_invalid
 */
export async function register(
  ctx: AccountsContext,
  input: { readonly challenge: string; readonly passkey: NewPasskey; readonly client: ClientDevice },
): Promise<SignedIn> {
  const { client } = input
  checkName(client.deviceName, 'deviceName')
  const wanted = await takeChallenge<Wanted>(ctx, input.challenge, { kind: 'passkey-register' })
  const made = await input.passkey.verify(wanted.nonce)
  if (made === undefined) throw new Refusal('passkey_invalid')
  const { user: id, username, displayName } = wanted
  return transaction(ctx, async tx => {
    const invitation = wanted.invitation === undefined ? undefined : Buffer.from(wanted.invitation, 'hex')
    const user = await create(ctx, { id, username, displayName, invitation, client }, tx)
    await insertPasskey(tx, id, made, firstName)
    await note(ctx, { user: id, kind: 'passkey_added', client, detail: { name: firstName } }, tx)
    return openFirst(ctx, user, client, tx)
  })
}
