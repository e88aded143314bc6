/** That an operator has shut somebody out, for a time or for good, as sessions see it. */
import { Refusal } from '@flotilla/protocol'

export interface Suspension {
  /** Milliseconds since 1970; for good without it. */
  readonly until: number | undefined
}

/** Of a row of users. */
export const isSuspended = (alias: string) => `coalesce(${alias}.suspended_until > now(), false)`
/** Of one who is; NULL: for good. */
export const suspendedUntil = (alias: string) =>
  `CASE WHEN isfinite(${alias}.suspended_until) THEN (extract(epoch FROM ${alias}.suspended_until) * 1000)::float8 END`

/** What whoever is suspended is answered, once they have shown who they are. */
export function suspendedRefusal({ until }: Suspension): Refusal {
  return new Refusal('account_suspended', undefined, until === undefined ? {} : { until: Math.ceil(until) })
}
