/**
 * The audit trail: what happened to an account, written in words that its owner can read. What an intruder could have
 * done is also told where an intruder cannot hide it: by mail, and in the application.
 */
import type { PoolClient } from 'pg'
import type { ChatContext } from '../context.ts'
import { add as addJob } from '../jobs/add.ts'
import { add as addNotification } from '../notifications/add.ts'
import type { Client } from '../sessions/client.ts'
import { afterCommit, transaction } from '../store/transaction.ts'

export type SecurityEventKind =
  | 'registered'
  | 'signed_in'
  | 'sign_in_failed'
  | 'second_factor_failed'
  | 'signed_out'
  | 'session_revoked'
  | 'refresh_reused'
  | 'password_set'
  | 'password_changed'
  | 'password_reset'
  | 'email_changed'
  | 'email_removed'
  | 'username_changed'
  | 'totp_enabled'
  | 'totp_disabled'
  | 'mail_factor_enabled'
  | 'mail_factor_disabled'
  | 'recovery_codes_made'
  | 'recovery_code_used'
  | 'passkey_added'
  | 'passkey_removed'
  | 'identity_linked'
  | 'identity_unlinked'
  | 'deletion_asked'
  | 'deletion_cancelled'
  | 'exported'
  | 'suspended'
  | 'suspension_lifted'
  | 'signed_out_by_operator'
  | 'message_removed'

export interface SecurityEvent {
  readonly user: string
  readonly kind: SecurityEventKind
  readonly session?: string | undefined
  readonly client?: Client | undefined
  /** Short facts, never a secret: `{ by: 'passkey' }`, `{ name: 'Work laptop' }`. */
  readonly detail?: Readonly<Record<string, string>> | undefined
  /** Whom the mail about it goes to, when that is not the person's address as it is now: the one before a change. */
  readonly notify?: string | undefined
}

/** Told by mail and in the application, whatever else is true. */
const told: ReadonlySet<SecurityEventKind> = new Set([
  'refresh_reused',
  'password_set',
  'password_changed',
  'password_reset',
  'email_changed',
  'email_removed',
  'username_changed',
  'totp_enabled',
  'totp_disabled',
  'mail_factor_enabled',
  'mail_factor_disabled',
  'recovery_codes_made',
  'recovery_code_used',
  'passkey_added',
  'passkey_removed',
  'identity_linked',
  'identity_unlinked',
  'deletion_asked',
  'deletion_cancelled',
  'exported',
  'suspended',
  'suspension_lifted',
  'signed_out_by_operator',
  'message_removed',
])

interface Noted {
  id: number
  at: number
  username: string
  email: string | null
  unfamiliar: boolean
}

/** A statement does not see what it writes itself, so a sign-in does not make itself familiar. */
const insert = `
WITH noted AS (
  INSERT INTO security_events (user_id, kind, session_id, address, country, agent, detail)
  VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id, at
)
SELECT n.id, floor(extract(epoch FROM n.at) * 1000)::float8 AS at, u.username, u.email,
       $2 = 'signed_in' AND NOT EXISTS (
         SELECT FROM security_events e
          WHERE e.user_id = $1 AND e.kind IN ('registered', 'signed_in') AND e.country = $5 AND e.agent = $6
       ) AS unfamiliar
  FROM noted n JOIN users u ON u.id = $1`

/**
 * Writes one line of the trail, and what must be told of it. Of sign-ins, that is one from a program and a country that
 * the account has not seen together.
 * @param client of the transaction that it belongs to
 */
export async function note(ctx: ChatContext, event: SecurityEvent, client?: Pick<PoolClient, 'query'>): Promise<void> {
  const { user, kind, session, client: from, detail = {} } = event
  if (client === undefined) {
    const mayBeTold = told.has(kind) || kind === 'signed_in'
    return mayBeTold ? transaction(ctx, tx => note(ctx, event, tx)) : note(ctx, event, ctx.pool)
  }
  const { address, country, agent } = from ?? { address: '', country: '', agent: '' }
  const values = [user, kind, session ?? null, address, country, agent, JSON.stringify(detail)]
  const noted = (await client.query<Noted>(insert, values)).rows[0]
  if (noted === undefined || !(told.has(kind) || noted.unfamiliar)) return

  const { id, username, at } = noted
  const to = event.notify ?? noted.email
  if (to !== null && ctx.settings.mail) {
    const mail = { template: 'security-notice', username, kind, at, address, country, agent, detail } as const
    await addJob(ctx, { kind: 'mail', to, mail }, client)
  }
  const notice = {
    user,
    kind: 'security_notice',
    dedup: `security ${id}`,
    detail: { event: kind, address, country, agent },
  } as const
  await afterCommit(client, () => addNotification(ctx, notice))
}
