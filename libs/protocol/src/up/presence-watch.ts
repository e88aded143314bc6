import { Type } from 'typebox'
import { Uuid } from '../fields.ts'
import { limits } from '../limits.ts'
import { command } from '../message.ts'

export const presenceWatch = command(
  'presence.watch',
  'Watches the presence of users who share a conversation with the caller, and of contacts. The reply has those online now; presence.changed follows. Users who hide their presence appear offline.',
  { users: Type.Array(Uuid, { minItems: 1, maxItems: limits.presenceWatchMax }) },
  Type.Object({ online: Type.Array(Uuid) }, { additionalProperties: false }),
)
