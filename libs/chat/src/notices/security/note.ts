/**
 * The audit trail: what happened to an account, written in words that its owner can read. What an intruder could have
 * done is also told where an intruder cannot hide it: by mail, and in the application.
 */
import type { PoolClient } from 'pg'
import type { NoticesContext } from '../context.ts'
import { add as addJob } from '../../store/jobs/add.ts'
import type { Mail } from '../../store/jobs/job.ts'
import { add as addNotification } from '../notifications/add.ts'
import type { ClientDevice } from './client-device.ts'
import { afterCommit, transaction } from '../../store/transaction.ts'
import { advisoryLocks } from '../../store/advisory-locks.ts'

export type SecurityEventKind =
  | 'registered'
  | 'signed_in'
  | 'sign_in_failed'
  | 'second_factor_failed'
  | 'signed_out'
  | 'session_revoked'
  | 'refresh_token_reused'
  | 'password_set'
  | 'password_changed'
  | 'password_reset'
  | 'email_changed'
  | 'email_removed'
  | 'username_changed'
  | 'totp_enabled'
  | 'totp_disabled'
  | 'email_factor_enabled'
  | 'email_factor_disabled'
  | 'recovery_codes_created'
  | 'recovery_code_used'
  | 'passkey_added'
  | 'passkey_removed'
  | 'identity_linked'
  | 'identity_unlinked'
  | 'deletion_requested'
  | 'deletion_cancelled'
  | 'data_exported'
  | 'suspended'
  | 'suspension_lifted'
  | 'signed_out_by_operator'
  | 'message_removed'

export interface SecurityEvent {
  readonly user: string
  readonly kind: SecurityEventKind
  readonly session?: string | undefined
  readonly client?: ClientDevice | undefined
  /** Short facts, never a secret: `{ by: 'passkey' }`, `{ name: 'Work laptop' }`. */
  readonly detail?: Readonly<Record<string, string>> | undefined
  /** Whom the mail about it goes to, when that is not the person's address as it is now: the one before a change. */
  readonly notify?: string | undefined
}

/** Told by mail and in the application, whatever else is true. */
const told: ReadonlySet<SecurityEventKind> = new Set([
  'refresh_token_reused',
  'password_set',
  'password_changed',
  'password_reset',
  'email_changed',
  'email_removed',
  'username_changed',
  'totp_enabled',
  'totp_disabled',
  'email_factor_enabled',
  'email_factor_disabled',
  'recovery_codes_created',
  'recovery_code_used',
  'passkey_added',
  'passkey_removed',
  'identity_linked',
  'identity_unlinked',
  'deletion_requested',
  'deletion_cancelled',
  'data_exported',
  'suspended',
  'suspension_lifted',
  'signed_out_by_operator',
  'message_removed',
])

/** Told when the statement below finds it worth telling, and not again and again. */
const toldOnce: ReadonlySet<SecurityEventKind> = new Set(['sign_in_failed', 'second_factor_failed'])

interface Noted {
  id: number
  at: number
  username: string
  email: string | null
  told: boolean
}

/** So many failed sign-ins within a day, and so many second factors by somebody familiar, are no longer slips of a hand. */
const failedSignInsTold = 10
const failedFactorsTold = 3

/**
 * A statement does not see what it writes itself, so a sign-in does not make itself familiar. For a sign-in those failures
 * count that have come since the last one.
 */
const insert = `
WITH before AS (
  SELECT NOT EXISTS (
           SELECT FROM security_events e
            WHERE e.user_id = $1 AND e.kind IN ('registered', 'signed_in') AND e.country = $5 AND e.agent = $6
         ) AS unfamiliar,
         EXISTS (
           SELECT FROM security_events e
            WHERE e.user_id = $1 AND e.kind = $2::text AND e.told AND e.at > now() - interval '12 hours'
         ) AS told_lately,
         (SELECT count(*) FROM security_events e
           WHERE e.user_id = $1 AND e.at > now() - interval '1 day'
             AND e.kind = CASE WHEN $2 = 'second_factor_failed' THEN $2 ELSE 'sign_in_failed' END
             AND ($2 <> 'signed_in' OR e.id > coalesce(
                   (SELECT max(s.id) FROM security_events s WHERE s.user_id = $1 AND s.kind = 'signed_in'), 0))
         ) AS failures
), noted AS (
  INSERT INTO security_events (user_id, kind, session_id, address, country, agent, detail, told)
  SELECT $1::uuid, $2::text, $3::uuid, $4::text, $5::text, $6::text, $7::jsonb,
         CASE $2 WHEN 'signed_in' THEN unfamiliar OR failures >= ${failedSignInsTold}
                 WHEN 'sign_in_failed' THEN failures >= ${failedSignInsTold - 1} AND NOT told_lately
                 WHEN 'second_factor_failed'
                   THEN (unfamiliar OR failures >= ${failedFactorsTold - 1}) AND NOT told_lately
                 ELSE $8::boolean END
    FROM before
  RETURNING id, at, told
)
SELECT n.id, floor(extract(epoch FROM n.at) * 1000)::float8 AS at, u.username, u.email, n.told
  FROM noted n JOIN users u ON u.id = $1`

/**
 * When the mail goes out that tells of this: at once, unless one went out within the window. Then at its end, together
 * with whatever else happens until then. The row is held, so that of two at once one finds the time of the other; by the
 * clock of that moment, for the transaction may have begun before the other's.
 */
const takeMail = `
UPDATE users u
   SET security_mail_due = CASE WHEN was.due > was.at THEN was.due
                                WHEN was.due > was.at - $2 * interval '1 millisecond' THEN was.due + $2 * interval '1 millisecond'
                                ELSE was.at END
  FROM (SELECT id, security_mail_due AS due, date_trunc('milliseconds', clock_timestamp()) AS at
          FROM users WHERE id = $1 FOR NO KEY UPDATE) was
 WHERE u.id = was.id
RETURNING floor(extract(epoch FROM security_mail_due) * 1000)::float8 AS due,
          coalesce(was.due > was.at, false) AS "isGathered", security_mail_due > was.at AS "isLater"`

/** Whatever was noted for a mail is committed when it is put together. */
const settleMs = 2_000

/**
 * Writes one line of the trail, and what must be told of it. Of sign-ins, that is one from a program and a country that
 * the account has not seen together, and one that comes after many failures. Failures are told when they are many, or when
 * somebody unfamiliar knew the first factor: once in twelve hours, so that an attack on an account is none on its mailbox.
 * @param client of the transaction that it belongs to
 */
export async function note(
  ctx: NoticesContext,
  event: SecurityEvent,
  client?: Pick<PoolClient, 'query'>,
): Promise<void> {
  const { user, kind, session, client: from, detail = {} } = event
  if (client === undefined) {
    return told.has(kind) || toldOnce.has(kind) || kind === 'signed_in'
      ? transaction(ctx, tx => note(ctx, event, tx))
      : note(ctx, event, ctx.pool)
  }
  // Of failures at once the first is told, and the others see that it was.
  if (toldOnce.has(kind))
    await client.query('SELECT pg_advisory_xact_lock($1, hashtext($2))', [advisoryLocks.failures, user])
  const { address, country, agent } = from ?? { address: '', country: '', agent: '' }
  const values = [user, kind, session ?? null, address, country, agent, JSON.stringify(detail), told.has(kind)]
  const noted = (await client.query<Noted>(insert, values)).rows[0]
  if (noted === undefined || !noted.told) return

  const { id, username, at } = noted
  const to = event.notify ?? noted.email
  if (to !== null && ctx.settings.mail) {
    const mail = { template: 'security-notice', username, kind, at, address, country, agent, detail } as const
    // Another address than the account's hears this alone.
    if (event.notify !== undefined) await addJob(ctx, { kind: 'mail', to, mail }, client)
    else await tellByMail(ctx, { event: id, user, to, mail }, client)
  }
  const notice = {
    user,
    kind: 'security_notice',
    dedup: `security ${id}`,
    detail: { event: kind, address, country, agent },
  } as const
  await afterCommit(client, () => addNotification(ctx, notice))
}

interface Told {
  readonly event: number
  readonly user: string
  readonly to: string
  readonly mail: Extract<Mail, { template: 'security-notice' }>
}

/** However much happens, a mailbox gets one mail at the most within the window, after the first one. */
async function tellByMail(ctx: NoticesContext, told: Told, client: Pick<PoolClient, 'query'>): Promise<void> {
  const { event, user, to, mail } = told
  const taken = await client.query<{ due: number; isGathered: boolean; isLater: boolean }>(takeMail, [
    user,
    ctx.settings.securityMailWindowMs,
  ])
  const { due, isGathered, isLater } = taken.rows[0]!
  if (!isLater) return addJob(ctx, { kind: 'mail', to, mail }, client)
  await client.query('UPDATE security_events SET mail_due = to_timestamp($2::float8 / 1000) WHERE id = $1', [
    event,
    due,
  ])
  if (isGathered) return
  await addJob(ctx, { kind: 'mail', to, mail: { ...mail, gathered: { user, due } } }, client, due + settleMs)
}
