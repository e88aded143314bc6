import { Type } from 'typebox'
import { At, Uuid } from '../fields.ts'
import { ephemeral } from '../message.ts'

export const presenceChanged = ephemeral(
  'presence.changed',
  'Somebody who is watched came online or went offline. What comes last holds; `at` is for showing.',
  {
    user: Uuid,
    online: Type.Boolean(),
    at: At,
  },
)
