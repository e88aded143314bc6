import { Type } from 'typebox'
import { At, Uuid } from '../fields.ts'
import { ephemeral } from '../message.ts'

export const presenceChanged = ephemeral(
  'presence.changed',
  'A watched user came online or went offline. The last event wins; `at` is for display.',
  {
    user: Uuid,
    online: Type.Boolean(),
    at: At,
  },
)
