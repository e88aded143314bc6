import { Type } from 'typebox'
import { Uuid } from '../fields.ts'
import { signal } from '../message.ts'

export const blockChanged = signal(
  'block.changed',
  'The user blocked or unblocked `user`, possibly on another device. `user` is not told.',
  { user: Uuid, blocked: Type.Boolean() },
)
