/** What a person decides for themselves: who sees what of them, who may write to them first, and what is pushed when. */
import { type Audience, type DirectFrom, Refusal, type Settings } from '@flotilla/protocol'
import { audienceNumbers, audienceOf, directFromNumbers, directFromSaid, notifyNumbers, notifyOf } from '../access.ts'
import type { UsersContext } from './context.ts'
import type { users } from '../store/schema.ts'
import { isZone } from '../text/zones.ts'

/** Nothing is pushed between the two, by the clock of the zone. `until` may be on the next day. */
export interface QuietHours {
  /** `22:00` */
  readonly from: string
  readonly until: string
  /** A name of the IANA: `Europe/Amsterdam` */
  readonly zone: string
}

export type SettingsChange = { readonly [K in keyof Settings]?: Settings[K] | undefined }

type Row = Pick<
  typeof users.$inferSelect,
  | 'lastSeenVisibility'
  | 'readReceiptVisibility'
  | 'emailDiscoverability'
  | 'directFrom'
  | 'notify'
  | 'pushNames'
  | 'quietFrom'
  | 'quietUntil'
  | 'quietZone'
>

const columns = `last_seen_to AS "lastSeenVisibility", read_receipts_to AS "readReceiptVisibility", found_by_email_to AS "emailDiscoverability",
       direct_from AS "directFrom", notify, push_names AS "pushNames", quiet_from AS "quietFrom", quiet_until AS "quietUntil",
       quiet_zone AS "quietZone"`

/** The comparison is the statement's own: it sees the row as it is when it changes it. */
const changeText = `
UPDATE users
   SET last_seen_to = coalesce($2, last_seen_to),
       read_receipts_to = coalesce($3, read_receipts_to),
       found_by_email_to = coalesce($4, found_by_email_to),
       push_names = coalesce($5, push_names),
       notify = coalesce($12, notify),
       direct_from = CASE WHEN $6 THEN $7 ELSE direct_from END,
       quiet_from = CASE WHEN $8 THEN $9 ELSE quiet_from END,
       quiet_until = CASE WHEN $8 THEN $10 ELSE quiet_until END,
       quiet_zone = CASE WHEN $8 THEN $11 ELSE quiet_zone END,
       hidden_at = CASE WHEN $2 <> last_seen_to OR $3 <> read_receipts_to THEN clock_timestamp() ELSE hidden_at END
 WHERE id = $1 AND erased_at IS NULL
RETURNING ${columns}`

/** @throws Refusal user_unknown */
export async function settings(ctx: UsersContext, by: string): Promise<Settings> {
  const found = await ctx.pool.query<Row>(`SELECT ${columns} FROM users WHERE id = $1`, [by])
  return toSettings(found.rows[0])
}

/**
 * What is left out stays. Whoever shows less than before is hidden at once from those who watch them. What is shown is
 * cached everywhere, for receipts, so that a change of it is named in both directions.
 * @throws Refusal field_invalid, user_unknown
 */
export async function changeSettings(ctx: UsersContext, by: string, change: SettingsChange): Promise<Settings> {
  const { directFrom, pushNames, quietHours } = change
  if (directFrom !== undefined && directFrom !== null) demandAllowed(ctx, directFrom)
  const number = (audience: Audience | undefined) => (audience === undefined ? undefined : audienceNumbers[audience])
  const quiet = quietHours === undefined ? undefined : toColumns(quietHours)
  const changed = await ctx.pool.query<Row>(changeText, [
    by,
    number(change.lastSeenVisibility),
    number(change.readReceiptVisibility),
    number(change.emailDiscoverability),
    pushNames,
    directFrom !== undefined,
    directFrom === undefined || directFrom === null ? null : directFromNumbers[directFrom],
    quiet !== undefined,
    quiet?.quietFrom,
    quiet?.quietUntil,
    quiet?.quietZone,
    change.notify === undefined ? undefined : notifyNumbers[change.notify],
  ])
  ctx.restrictions.forget([by])
  return toSettings(changed.rows[0])
}

function demandAllowed(ctx: UsersContext, directFrom: DirectFrom): void {
  const { directFromAllowed: allowed } = ctx.settings
  if (allowed.includes(directFrom)) return
  const rule = allowed.length === 0 ? 'null' : `null or one of ${allowed.join(', ')}`
  throw new Refusal('field_invalid', `directFrom: this deployment allows ${rule}`, { field: 'directFrom', rule })
}

function toSettings(row: Row | undefined): Settings {
  if (row === undefined) throw new Refusal('user_unknown')
  const { quietFrom, quietUntil, quietZone } = row
  return {
    lastSeenVisibility: audienceOf(row.lastSeenVisibility),
    readReceiptVisibility: audienceOf(row.readReceiptVisibility),
    emailDiscoverability: audienceOf(row.emailDiscoverability),
    directFrom: row.directFrom === null ? null : directFromSaid(row.directFrom),
    notify: notifyOf(row.notify),
    pushNames: row.pushNames,
    quietHours:
      quietFrom === null || quietUntil === null || quietZone === null
        ? null
        : { from: toClock(quietFrom), until: toClock(quietUntil), zone: quietZone },
  }
}

// ── quiet hours ──────────────────────────────────────────────────────────────────────────────────────────────────────

const refuse = (field: string, rule: string) =>
  new Refusal('field_invalid', `quietHours.${field}: must be ${rule}`, { field: `quietHours.${field}`, rule })

function toColumns(hours: QuietHours | null) {
  if (hours === null) return { quietFrom: null, quietUntil: null, quietZone: null }
  const quietFrom = toMinutes(hours.from, 'from')
  const quietUntil = toMinutes(hours.until, 'until')
  if (quietFrom === quietUntil) throw refuse('until', 'different from `from`')
  if (!isZone(hours.zone)) throw refuse('zone', 'an IANA time zone')
  return { quietFrom, quietUntil, quietZone: hours.zone }
}

/** Minutes since midnight. */
function toMinutes(clock: string, field: string): number {
  const [, hour, minute] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(clock) ?? []
  if (hour === undefined || minute === undefined) throw refuse(field, 'HH:MM')
  return Number(hour) * 60 + Number(minute)
}

const toClock = (minutes: number) =>
  [Math.floor(minutes / 60), minutes % 60].map(part => String(part).padStart(2, '0')).join(':')
