/**
 * Shuts a person out: nobody gets a session from then on, and those that are there end, with all that hangs on them
 * (sockets within two pulses, push devices at once). A ban is for good, and keeps what the person came with from coming
 * back. docs/decisions/0020 says why sessions end instead of being held.
 */
import { Refusal } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import type { OperatorsContext } from './context.ts'
import { note } from '../notices/security/note.ts'
import { endAll } from '../accounts/sessions/end.ts'
import { add as addJob } from '../store/jobs/add.ts'
import { transaction } from '../store/transaction.ts'
import { holdBack, letGo } from '../accounts/registration/held-back.ts'
import { type Actor, checkReason, noteAction } from './note-action.ts'

export interface SuspendInput {
  readonly user: string
  readonly reason: string
  /** Milliseconds since 1970; for good without it. */
  readonly until?: number | undefined
}

/** What is longer is for good. */
const suspensionMsMax = 10 * 365 * 86_400_000

/**
 * Takes the place of a suspension or a ban that stands. For good, the worker hands on the groups that the person owns alone.
 * @throws Refusal field_invalid, user_unknown
 */
export async function suspend(ctx: OperatorsContext, by: Actor, input: SuspendInput): Promise<void> {
  const { user, until } = input
  const reason = checkReason(input.reason)
  if (until !== undefined) checkUntil(ctx, until)
  await transaction(ctx, async tx => {
    await shutOut(ctx, tx, { user, reason, until })
    await letGo(tx, user)
    await noteAction(tx, by, { action: 'suspended', user, reason, detail: factsOf(until) })
    if (until === undefined) await addJob(ctx, { kind: 'hand-on', user }, tx)
  })
}

/** @throws Refusal field_invalid, user_unknown */
export async function ban(ctx: OperatorsContext, by: Actor, input: Omit<SuspendInput, 'until'>): Promise<void> {
  const { user } = input
  const reason = checkReason(input.reason)
  await transaction(ctx, async tx => {
    await shutOut(ctx, tx, { user, reason })
    await holdBack(tx, user)
    await noteAction(tx, by, { action: 'banned', user, reason })
    await addJob(ctx, { kind: 'hand-on', user }, tx)
  })
}

function checkUntil(ctx: OperatorsContext, until: number): void {
  const now = ctx.clock()
  if (until > now && until <= now + suspensionMsMax) return
  const rule = 'in the future, within ten years'
  throw new Refusal('field_invalid', `until: must be ${rule}`, { field: 'until', rule })
}

const factsOf = (until: number | undefined) => (until === undefined ? {} : { until: new Date(until).toISOString() })

async function shutOut(ctx: OperatorsContext, tx: PoolClient, { user, reason, until }: SuspendInput): Promise<void> {
  await holdPerson(tx, user)
  await tx.query(
    `UPDATE users SET suspended_until = coalesce(to_timestamp($2::float8 / 1000), 'infinity'::timestamptz) WHERE id = $1`,
    [user, until ?? null],
  )
  await endEverywhere(ctx, tx, user)
  await note(ctx, { user, kind: 'suspended', detail: { reason, ...factsOf(until) } }, tx)
}

/**
 * Whoever signs in holds the row (sessions/open.ts): either that is waited for here, and its session ends with the
 * others, or it waits for this and is refused.
 * @throws Refusal user_unknown
 */
export async function holdPerson(tx: PoolClient, user: string): Promise<void> {
  const found = await tx.query('SELECT FROM users WHERE id = $1 AND erased_at IS NULL FOR UPDATE', [user])
  if (found.rowCount === 0) throw new Refusal('user_unknown', undefined, { field: 'user' })
}

/** Sign-ins that wait for their second step end too. @returns how many sessions there were */
export async function endEverywhere(ctx: OperatorsContext, tx: PoolClient, user: string): Promise<number> {
  await tx.query('DELETE FROM challenges WHERE user_id = $1', [user])
  return (await endAll(ctx, { user }, tx)).length
}
