import { Type } from 'typebox'
import { Uuid } from '../fields.ts'
import { signal } from '../message.ts'

export const blockChanged = signal(
  'block.changed',
  'One blocked or unblocked the person named, from another device. The person named is not told.',
  { user: Uuid, blocked: Type.Boolean() },
)
