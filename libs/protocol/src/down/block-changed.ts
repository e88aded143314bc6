import { Type } from 'typebox'
import { Uuid } from '../fields.ts'
import { event } from '../message.ts'

export const blockChanged = event(
  'block.changed',
  'One blocked or unblocked the person named, from another device. The person named is not told.',
  { user: Uuid, blocked: Type.Boolean() },
)
