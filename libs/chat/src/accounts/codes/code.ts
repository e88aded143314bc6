/**
 * What asking and sending again have in common: to whom goes what. The work is the same whether the address is known or
 * not: one look-up, one row, one job. What is not to be sent is written as a job that does nothing.
 */
import { randomInt } from 'node:crypto'
import { Refusal } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import type { AccountsContext } from '../context.ts'
import { add } from '../../store/jobs/add.ts'
import type { CodePurpose, Mail } from '../../store/jobs/job.ts'
import { folded } from '../../store/folded.ts'
import { emailKey } from '../../text/email.ts'

export interface Addressed {
  readonly request: string
  readonly purpose: CodePurpose
  readonly email: string
  /** Who asks, where that is known. */
  readonly user: string | null
  /** Without it the mailbox has had enough: everything is as it would be, and nothing is sent. */
  readonly isMailed: boolean
}

interface Owner {
  id: string
  username: string
  email: string
}

/** @throws Refusal mail_disabled */
export function demandMail(ctx: AccountsContext): void {
  if (!ctx.settings.mail) throw new Refusal('mail_disabled')
}

/** The pause after the sending of this number: 30 s, a minute, two, four. */
export const resendAfterMs = (ctx: AccountsContext, sends: number): number =>
  ctx.settings.codeResendMs * 2 ** (sends - 1)

/** Draws a code and leaves the mail for the worker. @returns the MAC that the row is to hold */
export async function send(ctx: AccountsContext, client: PoolClient, asked: Addressed): Promise<Buffer> {
  const found = await client.query<Owner>(
    `SELECT id, username, email FROM users WHERE ${folded('email')} = $1 AND erased_at IS NULL`,
    [emailKey(asked.email)],
  )
  const owner = found.rows[0]
  const code = String(randomInt(1_000_000)).padStart(6, '0')
  const what = whatToSend(asked, owner)
  const mail: Mail =
    what === 'already'
      ? { template: 'registered-already', username: owner?.username ?? '' }
      : { template: 'code', purpose: asked.purpose, code, lifeMs: ctx.settings.codeLifeMs }
  // As its owner verified it: a server may tell small letters from capitals, though nobody should rely on it.
  const to = owner?.email ?? asked.email
  await add(ctx, { kind: what === 'nothing' ? 'nothing' : 'mail', to, mail }, client)
  // A code that nobody was sent must not be found by guessing either.
  return ctx.seal.mac(`${what === 'code' ? 'code' : 'decoy'} ${asked.request}`, code)
}

function whatToSend({ purpose, user, isMailed }: Addressed, owner: Owner | undefined): 'code' | 'already' | 'nothing' {
  if (!isMailed) return 'nothing'
  if (purpose === 'register') return owner === undefined ? 'code' : 'already'
  if (purpose === 'change-email') return owner === undefined || owner.id === user ? 'code' : 'already'
  if (owner === undefined) return 'nothing'
  return user === null || owner.id === user ? 'code' : 'nothing'
}
