import { Type } from 'typebox'
import { Uuid } from '../fields.ts'
import { entry } from '../message.ts'

export const memberRemoved = entry('member.removed', 5, 'A member was removed. It is the last entry they receive.', {
  user: Uuid,
  banned: Type.Optional(Type.Literal(true, { description: 'They cannot rejoin until the ban is lifted.' })),
})
