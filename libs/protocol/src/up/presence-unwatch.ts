import { Type } from 'typebox'
import { Uuid } from '../fields.ts'
import { limits } from '../limits.ts'
import { command, Nothing } from '../message.ts'

export const presenceUnwatch = command(
  'presence.unwatch',
  'Stops watching users. Users who are not watched are ignored.',
  { users: Type.Array(Uuid, { minItems: 1, maxItems: limits.presenceWatchMax }) },
  Nothing,
)
