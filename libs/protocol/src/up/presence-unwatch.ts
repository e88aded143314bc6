import { Type } from 'typebox'
import { Uuid } from '../fields.ts'
import { limits } from '../limits.ts'
import { command, Nothing } from '../message.ts'

export const presenceUnwatch = command(
  'presence.unwatch',
  'Ends a watch. People who were not watched are passed over.',
  { users: Type.Array(Uuid, { minItems: 1, maxItems: limits.presenceWatchMax }) },
  Nothing,
)
