/** What the terminal client says of groups and does to them: settings, order, and the ways into them. */
import type { Entry, EntryKind, Role } from '@flotilla/protocol'
import { type Client, mutedForEver } from '@flotilla/sdk'
import { harmless } from './chat-screen.ts'
import { timeOf } from './chat-times.ts'

export const groupHelp = [
  '  /invite [uses]                create an invite link',
  '  /join <link>                  join by a link, or ask to',
  '  /admit <name>                 approve a request to join',
  '  /turn-away <name>             decline a request to join',
  '  /describe <text>              set the description',
  '  /posts <role>                 set the lowest role that can post: member, admin, owner',
  '  /slow <seconds>               set slow mode; 0 turns it off',
  '  /silence <name> [minutes]     let a member read only; 0 ends it',
  '  /ban <name>, /unban <name>    ban a person, or lift the ban',
  '  /owner <name>                 make a member the owner, and yourself an admin',
  '  /leave                        leave the group',
]

type Act = (client: Client, group: string, words: readonly string[]) => Promise<string | undefined>

const personOf = async (client: Client, name = '') => (await client.rest.userByName(name)).id

/** Each says what has become of it, where no entry of the group does. */
const acts: Readonly<Record<string, Act>> = {
  async '/invite'({ rest }, group, [uses]) {
    const { token } = await rest.groups.makeLink(group, uses === undefined ? {} : { uses: Number(uses) })
    return `the link: /join ${token}`
  },
  async '/admit'(client, group, [name]) {
    await client.rest.groups.approve(group, await personOf(client, name))
    return undefined
  },
  async '/turn-away'(client, group, [name = '']) {
    await client.rest.groups.decline(group, await personOf(client, name))
    return `turned away: ${harmless(name)}`
  },
  async '/describe'({ rest }, group, words) {
    await rest.groups.change(group, { description: words.join(' ') })
    return undefined
  },
  async '/posts'({ rest }, group, [role]) {
    await rest.groups.change(group, { permissions: { post: role as Role } })
    return undefined
  },
  async '/slow'({ rest }, group, [seconds]) {
    await rest.groups.change(group, { slowModeMs: Number(seconds) * 1_000 })
    return undefined
  },
  async '/silence'(client, group, [name, minutes]) {
    const untilMs = minutes === undefined ? mutedForEver : Date.now() + Number(minutes) * 60_000
    await client.rest.groups.silence(group, await personOf(client, name), minutes === '0' ? null : untilMs)
    return undefined
  },
  async '/ban'(client, group, [name = '']) {
    await client.rest.groups.ban(group, await personOf(client, name))
    return `banned: ${harmless(name)}`
  },
  async '/unban'(client, group, [name = '']) {
    await client.rest.groups.unban(group, await personOf(client, name))
    return `the ban is lifted: ${harmless(name)}`
  },
  async '/owner'(client, group, [name]) {
    await client.rest.groups.handOn(group, await personOf(client, name))
    return undefined
  },
}

/** What a command does to the group that is open; undefined when it is none of these. */
export const actOf = (command: string | undefined): Act | undefined =>
  command !== undefined && Object.hasOwn(acts, command) ? acts[command] : undefined

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

function settingsInWords({
  description,
  avatar,
  permissions,
  slowModeMs,
  newcomerHistory,
  forwarding,
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
  ].join(', ')
}
