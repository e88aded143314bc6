import { Type } from 'typebox'
import { At, Uuid } from '../fields.ts'
import { entry } from '../message.ts'

export const memberSilenced = entry('member.silenced', 22, 'A member was silenced until a time, or can post again.', {
  user: Uuid,
  until: Type.Union([At, Type.Null()], { description: 'Null if they can post again.' }),
})
