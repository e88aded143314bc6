import { Type } from 'typebox'
import { At, Uuid } from '../fields.ts'
import { event } from '../message.ts'

export const presenceChanged = event(
  'presence.changed',
  'Somebody who is watched came online or went offline. What comes last holds; `at` is for showing.',
  {
    user: Uuid,
    online: Type.Boolean(),
    at: At,
  },
)
