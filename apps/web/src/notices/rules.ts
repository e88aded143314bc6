/** Which messages make a sound or a notification here: what the server would push, by the same rules, and is not seen anyway. */
import type { NotifyRule, Settings } from '@flotilla/sdk'

export interface Told {
  readonly isOwn: boolean
  /** It was stored before this connection: the device catches up. */
  readonly isReplayed: boolean
  readonly isRemoved: boolean
  readonly isMention: boolean
  /** The sender is blocked. */
  readonly isBlocked: boolean
  /** In a thread that the person follows; or shown in another one alone. */
  readonly thread: 'none' | 'followed' | 'other'
  readonly kind: 'direct' | 'group'
  readonly isMuted: boolean
  /** Of the conversation; null where it has none of its own. */
  readonly rule: NotifyRule | null
  /** A page that has the focus shows the conversation. */
  readonly isSeen: boolean
}

export function notifies(told: Told, { notify, quietHours }: Pick<Settings, 'notify' | 'quietHours'>, now: number) {
  if (told.isOwn || told.isReplayed || told.isRemoved || told.isBlocked || told.isMuted || told.isSeen) return false
  if (told.thread === 'other' || isQuiet(quietHours, now)) return false
  const rule = told.rule ?? notify
  // Whatever is said in private is said to one.
  const concerns = told.isMention || told.thread === 'followed' || told.kind === 'direct'
  return rule === 'all' || (rule === 'mentions' && concerns)
}

/** By the clock on the wall of the zone that was chosen. A zone that this browser does not know keeps nothing quiet. */
export function isQuiet(hours: Settings['quietHours'], now: number): boolean {
  if (hours === null || hours.from === hours.until) return false
  const { from, until, zone } = hours
  try {
    const clock = { timeZone: zone, hourCycle: 'h23', hour: '2-digit', minute: '2-digit' } as const
    const time = new Intl.DateTimeFormat('en-GB', clock).format(now)
    return from < until ? time >= from && time < until : time >= from || time < until
  } catch {
    return false
  }
}
