/** What the entries of a group say, in words. */
import type { Entry, EntryKind } from '@flotilla/protocol'
import { mutedForEver } from '@flotilla/sdk'
import { harmless } from './chat-screen.ts'
import { timeOf } from './chat-times.ts'

type GroupEntry = Extract<
  Entry,
  { event: EntryKind & (`member.${string}` | 'conversation.created' | 'conversation.renamed' | 'conversation.changed') }
>

/** An entry in words. @param nameOf of a person */
export function inWords(entry: GroupEntry, nameOf: (user: string) => string): string {
  const by = nameOf(entry.by)
  const names = (users: readonly { user: string }[]) => users.map(({ user }) => nameOf(user)).join(', ')
  switch (entry.event) {
    case 'conversation.created':
      return `${by} began: ${names(entry.members)}`
    case 'conversation.renamed':
      return `${by} named it ${harmless(entry.name)}`
    case 'conversation.changed':
      return `${by} ${settingsInWords(entry)}`
    case 'member.added': {
      const joined = entry.via === 'link' ? `${by} joined by a link` : `${by} joined`
      return entry.members[0]?.user === entry.by ? joined : `${by} added ${names(entry.members)}`
    }
    case 'member.removed':
      return `${by} ${entry.banned === true ? 'banned' : 'removed'} ${nameOf(entry.user)}`
    case 'member.left':
      return entry.heir === undefined ? `${by} left` : `${by} left, and ${nameOf(entry.heir)} is owner now`
    case 'member.silenced':
      if (entry.until === null) return `${by} lets ${nameOf(entry.user)} speak`
      return `${by} silenced ${nameOf(entry.user)}${entry.until === mutedForEver ? '' : ` until ${timeOf(entry.until)}`}`
    default:
      return `${nameOf(entry.user)} is ${entry.role} now${entry.byRole === undefined ? '' : `, and ${by} ${entry.byRole}`}`
  }
}

function windowInWords(what: string, windowMs: number | null | undefined): string[] {
  if (windowMs === undefined) return []
  const time = windowMs === null ? 'as long as the server allows' : `for ${windowMs / 60_000} min`
  return [`lets messages be ${what} ${time}`]
}

function settingsInWords({
  description,
  avatar,
  permissions,
  slowModeMs,
  newcomerHistory,
  forwarding,
  editWindowMs,
  deleteWindowMs,
  editHistory,
}: Extract<Entry, { event: 'conversation.changed' }>): string {
  const seen = newcomerHistory === null ? 'all' : newcomerHistory
  return [
    ...(description === undefined ? [] : [`described it: ${harmless(description)}`]),
    ...(avatar === undefined ? [] : [avatar === null ? 'took its picture away' : 'gave it another picture']),
    ...(permissions === undefined ? [] : [`lets ${permissions.post}s post`]),
    ...(slowModeMs === undefined ? [] : [`set slow mode to ${slowModeMs / 1_000} s`]),
    ...(newcomerHistory === undefined ? [] : [`lets newcomers see ${seen} of what was before`]),
    ...(forwarding === undefined
      ? []
      : [forwarding ? 'lets messages be forwarded' : 'keeps messages from being forwarded']),
    ...windowInWords('edited', editWindowMs),
    ...windowInWords('deleted', deleteWindowMs),
    ...(editHistory === undefined
      ? []
      : [editHistory ? 'keeps what messages said before' : 'keeps nothing of what messages said before']),
  ].join(', ')
}
