/** What the terminal client does to groups: settings, order, and the ways into them. */
import type { Role } from '@flotilla/protocol'
import { type Client, mutedForEver } from '@flotilla/sdk'
import type { Commands } from './chat-command.ts'
import { harmless } from './chat-screen.ts'
import { readDuration } from './chat-times.ts'

const personOf = async ({ rest }: Client, name = '') => (await rest.userByName(name)).id

export const groupCommands: Commands = {
  '/invite': {
    help: { '/invite [uses]': 'create an invite link' },
    needs: 'room',
    async run({ client, room, screen }, [uses]) {
      const { token } = await client.rest.groups.makeLink(room.id, uses === undefined ? {} : { uses: Number(uses) })
      screen.note(`the link: /join ${token}`)
    },
  },
  '/join': {
    help: { '/join <link>': 'join by a link, or ask to' },
    words: 1,
    async run({ client, rooms, screen, enter }, [token = '']) {
      const joined = await client.rest.groups.join(token)
      if ('id' in joined) return enter(await rooms.read(joined.id))
      screen.note(`you have asked to join ${harmless(joined.name)}`)
    },
  },
  '/admit': {
    help: { '/admit <name>': 'approve a request to join' },
    needs: 'room',
    words: 1,
    async run({ client, room }, [name]) {
      await client.rest.groups.approve(room.id, await personOf(client, name))
    },
  },
  '/turn-away': {
    help: { '/turn-away <name>': 'decline a request to join' },
    needs: 'room',
    words: 1,
    async run({ client, room, screen }, [name = '']) {
      await client.rest.groups.decline(room.id, await personOf(client, name))
      screen.note(`turned away: ${harmless(name)}`)
    },
  },
  '/describe': {
    help: { '/describe <text>': 'set the description' },
    needs: 'room',
    async run({ client, room }, words) {
      await client.rest.groups.change(room.id, { description: words.join(' ') })
    },
  },
  '/posts': {
    help: { '/posts <role>': 'set the lowest role that can post: member, admin, owner' },
    needs: 'room',
    words: 1,
    async run({ client, room }, [role]) {
      await client.rest.groups.change(room.id, { permissions: { post: role as Role } })
    },
  },
  '/slow': {
    help: { '/slow <seconds>': 'set slow mode; 0 turns it off' },
    needs: 'room',
    words: 1,
    async run({ client, room }, [seconds]) {
      await client.rest.groups.change(room.id, { slowModeMs: Number(seconds) * 1_000 })
    },
  },
  '/windows': {
    help: {
      '/windows <edit> <delete>': 'set how long messages can be edited, and deleted by members: 15m, 2h, 7d, off',
    },
    needs: 'room',
    words: 2,
    async run({ client, room, screen }, words) {
      const [editWindowMs, deleteWindowMs] = words.map(word => (word === 'off' ? null : readDuration(word)))
      if (editWindowMs === undefined || deleteWindowMs === undefined)
        return screen.note('say how long: 15m, 2h, 7d, 0m for never, or off')
      await client.rest.groups.change(room.id, { editWindowMs, deleteWindowMs })
    },
  },
  '/versions': {
    help: { '/versions on|off': 'let members read what messages said before they were edited' },
    needs: 'room',
    words: 1,
    async run({ client, room, screen }, [choice]) {
      if (choice !== 'on' && choice !== 'off') return screen.note('say on or off')
      await client.rest.groups.change(room.id, { editHistory: choice === 'on' })
    },
  },
  '/silence': {
    help: { '/silence <name> [minutes]': 'let a member read only; 0 ends it' },
    needs: 'room',
    words: 1,
    async run({ client, room }, [name, minutes]) {
      const untilMs = minutes === undefined ? mutedForEver : Date.now() + Number(minutes) * 60_000
      await client.rest.groups.silence(room.id, await personOf(client, name), minutes === '0' ? null : untilMs)
    },
  },
  '/ban': {
    help: { '/ban <name>, /unban <name>': 'ban a person, or lift the ban' },
    needs: 'room',
    words: 1,
    async run({ client, room, screen }, [name = '']) {
      await client.rest.groups.ban(room.id, await personOf(client, name))
      screen.note(`banned: ${harmless(name)}`)
    },
  },
  '/unban': {
    needs: 'room',
    words: 1,
    async run({ client, room, screen }, [name = '']) {
      await client.rest.groups.unban(room.id, await personOf(client, name))
      screen.note(`the ban is lifted: ${harmless(name)}`)
    },
  },
  '/owner': {
    help: { '/owner <name>': 'make a member the owner, and yourself an admin' },
    needs: 'room',
    words: 1,
    async run({ client, room }, [name]) {
      await client.rest.groups.handOn(room.id, await personOf(client, name))
    },
  },
  '/leave': {
    help: { '/leave': 'leave the group' },
    needs: 'room',
    async run({ client, me, room }) {
      await client.rest.removeMember(room.id, me.id)
    },
  },
}
