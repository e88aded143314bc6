import { Type } from 'typebox'
import { Role, Uuid } from '../fields.ts'
import { entry } from '../message.ts'

export const memberChanged = entry('member.changed', 7, 'A member’s role changed.', {
  user: Uuid,
  role: Role,
  byRole: Type.Optional(Type.With(Role, { description: 'The new role of `by`, who transferred ownership.' })),
})
