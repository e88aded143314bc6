import { Type } from 'typebox'
import { Uuid } from '../fields.ts'
import { entry } from '../message.ts'

export const memberLeft = entry('member.left', 6, 'The member in `by` left.', {
  heir: Type.Optional(
    Type.With(Uuid, { description: 'The new owner of the group, if its last owner left by deleting their account.' }),
  ),
})
