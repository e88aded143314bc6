import { Uuid } from '../fields.ts'
import { entry } from '../message.ts'

export const memberRemoved = entry(
  'member.removed',
  5,
  'Somebody was removed. It is the last entry that this person gets.',
  { user: Uuid },
)
