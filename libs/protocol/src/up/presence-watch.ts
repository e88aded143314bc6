import { Type } from 'typebox'
import { Uuid } from '../fields.ts'
import { limits } from '../limits.ts'
import { command } from '../message.ts'

export const presenceWatch = command(
  'presence.watch',
  'Watches people with whom the caller shares a conversation. The reply says who is online now; presence.changed follows. Who hides it from the caller counts as offline.',
  { users: Type.Array(Uuid, { minItems: 1, maxItems: limits.presenceWatchMax }) },
  Type.Object({ online: Type.Array(Uuid) }, { additionalProperties: false }),
)
