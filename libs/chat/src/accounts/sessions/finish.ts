/**
 * The second step of a sign-in. A try is taken before the factor is looked at, in one statement, so that guesses made at
 * once get no more tries than guesses made one by one. The factor is used up first, the challenge last: of two who show
 * good factors at once, the one that takes the challenge out gets the session.
 */
import { type CodeRequest, type Factor, Refusal } from '@flotilla/protocol'
import { takeChallenge } from '../../store/challenges.ts'
import { ask, resend } from '../codes/index.ts'
import type { AccountsContext } from '../context.ts'
import { joinNow } from '../identities/join-later.ts'
import { makeNonce, nonceText, type PasskeyRef, refsOf } from '../passkeys/passkey.ts'
import { note } from '../../notices/security/note.ts'
import { transaction } from '../../store/transaction.ts'
import { get } from '../../users/get.ts'
import { type PendingSignIn, secondFactorKind, type SignedIn } from './begin.ts'
import type { ClientDevice } from '../../notices/security/client-device.ts'
import { emailOf, holds, type SubmittedFactor } from './factor.ts'
import { holdPassword } from './hold-password.ts'
import { open } from './open.ts'

/** Where the second step is done. The device keeps the name that the first step gave it, unless it has one here. */
export type FinishingClient = Omit<ClientDevice, 'deviceName'> & { readonly deviceName?: string | undefined }

interface Row {
  user_id: string
  data: PendingSignIn
}

const good = `id = $1 AND kind = '${secondFactorKind}' AND tries_left > 0 AND expires_at > now()`

/**
 * Whose sign-in waits here, for what is counted by person.
 * @throws Refusal challenge_invalid
 */
export async function challenged(ctx: AccountsContext, challenge: string): Promise<string> {
  return (await look(ctx, challenge)).user_id
}

/**
 * Finishes a sign-in by a second factor.
 * @throws Refusal challenge_invalid, second_factor_invalid, identity_taken (what was to join the account is another's
 *   meanwhile), field_invalid (a factor that was not offered), overloaded
 */
export async function finish(
  ctx: AccountsContext,
  input: { readonly challenge: string; readonly shown: SubmittedFactor; readonly client: FinishingClient },
): Promise<SignedIn> {
  const { challenge, shown } = input
  const { factor } = shown
  demandOffered((await look(ctx, challenge)).data, factor)
  const { user_id: id, data } = await takeTry(ctx, challenge)
  const client = { ...input.client, deviceName: input.client.deviceName ?? data.deviceName }
  const right = await holds(ctx, id, shown, {
    purpose: 'second-factor',
    request: data.request,
    nonce: data.nonce,
    ownerChecked: false,
    client,
  })
  if (!right) {
    await note(ctx, { user: id, kind: 'second_factor_failed', client, detail: { factor } })
    throw new Refusal('second_factor_invalid')
  }
  const [user] = await get(ctx, [id])
  if (user === undefined) throw new Refusal('challenge_invalid')
  return transaction(ctx, async tx => {
    await holdPassword(tx, id)
    await takeChallenge(ctx, challenge, { kind: secondFactorKind, user: id }, tx)
    const opened = await open(ctx, id, client, data.first, tx)
    if (data.identity !== undefined)
      await joinNow(ctx, tx, { user: id, sealed: data.identity, session: opened.session, client })
    const detail = { by: data.first, factor }
    await note(ctx, { user: id, kind: 'signed_in', session: opened.session, client, detail }, tx)
    return { user, ...opened }
  })
}

/**
 * Sends the code by mail of a sign-in that waits for one; asked again, another one after a pause.
 * @throws Refusal challenge_invalid, field_invalid (a code was not offered), rate_limited, limit_reached, mail_disabled
 */
export async function sendSecondFactorCode(ctx: AccountsContext, challenge: string): Promise<CodeRequest> {
  const { user_id: user, data } = await look(ctx, challenge)
  demandOffered(data, 'email_code')
  const email = await emailOf(ctx, user)
  if (email === undefined) throw new Refusal('challenge_invalid')
  const asked =
    (data.request === undefined ? undefined : await resendIfOpen(ctx, data.request)) ??
    (await ask(ctx, { purpose: 'second-factor', email, user }))
  await remember(ctx, challenge, { request: asked.request })
  return asked
}

/** Undefined when the request is too old, or its tries are used up. */
async function resendIfOpen(ctx: AccountsContext, request: string): Promise<CodeRequest | undefined> {
  try {
    return await resend(ctx, request)
  } catch (error) {
    if (error instanceof Refusal && error.code === 'code_invalid') return undefined
    throw error
  }
}

/**
 * What a passkey is to sign as the second factor. Only the answer to the last call is good.
 * @throws Refusal challenge_invalid, field_invalid (a passkey was not offered)
 */
export async function beginPasskeySecondFactor(
  ctx: AccountsContext,
  challenge: string,
): Promise<{ readonly nonce: Uint8Array<ArrayBuffer>; readonly known: readonly PasskeyRef[] }> {
  const { user_id: user, data } = await look(ctx, challenge)
  demandOffered(data, 'passkey')
  const nonce = makeNonce()
  await remember(ctx, challenge, { nonce: nonceText(nonce) })
  return { nonce, known: await refsOf(ctx, user) }
}

// ── the challenge ────────────────────────────────────────────────────────────────────────────────────────────────────

async function look(ctx: AccountsContext, challenge: string): Promise<Row> {
  const found = await ctx.pool.query<Row>(`SELECT user_id, data FROM challenges WHERE ${good}`, [challenge])
  return demandRow(found.rows[0])
}

async function takeTry(ctx: AccountsContext, challenge: string): Promise<Row> {
  const taken = await ctx.pool.query<Row>(
    `UPDATE challenges SET tries_left = tries_left - 1 WHERE ${good} RETURNING user_id, data`,
    [challenge],
  )
  return demandRow(taken.rows[0])
}

async function remember(
  ctx: AccountsContext,
  challenge: string,
  what: Pick<PendingSignIn, 'request' | 'nonce'>,
): Promise<void> {
  await ctx.pool.query(`UPDATE challenges SET data = data || $2 WHERE ${good}`, [challenge, JSON.stringify(what)])
}

function demandRow(row: Row | undefined): Row {
  if (row === undefined) throw new Refusal('challenge_invalid')
  return row
}

function demandOffered(data: PendingSignIn, factor: Factor): void {
  if (data.factors.includes(factor)) return
  const rule = `one of ${data.factors.join(', ')}`
  throw new Refusal('field_invalid', `factor: must be ${rule}`, { field: 'factor', rule })
}
