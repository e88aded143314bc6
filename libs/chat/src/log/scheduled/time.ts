/** When a message is to be sent: a moment, or a time on the clock of a place, which its rules make a moment. */
import { limits, type LocalTime, Refusal } from '@flotilla/protocol'
import { isZone, momentOf, zoneRules } from '../../text/zones.ts'

export interface Time {
  readonly at?: number | undefined
  readonly local?: LocalTime | undefined
}

/** As it is stored. */
export interface DueTime {
  /** Milliseconds since 1970. */
  readonly due: number
  readonly wall: string | null
  readonly zone: string | null
  /** The version of the rules that the moment was reckoned by. */
  readonly rules: string | null
}

const refuse = (field: string, rule: string) =>
  new Refusal('field_invalid', `${field}: must be ${rule}`, { field, rule })

/** @returns undefined when none is named. @throws Refusal field_invalid */
export function readTime({ at, local }: Time, now: number): DueTime | undefined {
  if (at !== undefined && local !== undefined) throw refuse('at', 'left out where `local` is given')
  if (local !== undefined) {
    const { time: wall, zone } = local
    if (!isZone(zone)) throw refuse('local.zone', 'the IANA name of a time zone')
    const due = momentOf(wall, zone)
    if (due === undefined) throw refuse('local.time', 'a day and a time: YYYY-MM-DDTHH:MM')
    return { due: demandAhead(due, now, 'local.time'), wall, zone, rules: zoneRules }
  }
  if (at === undefined) return undefined
  return { due: demandAhead(at, now, 'at'), wall: null, zone: null, rules: null }
}

/** @throws Refusal field_invalid */
export function demandAhead(at: number, now: number, field: string): number {
  if (at > now && at <= now + limits.scheduleAheadMsMax) return at
  throw refuse(field, `a time to come, at most ${limits.scheduleAheadMsMax} ms ahead`)
}
