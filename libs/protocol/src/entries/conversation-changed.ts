import { Type } from 'typebox'
import { groupFields } from '../fields.ts'
import { entry } from '../message.ts'

export const conversationChanged = entry(
  'conversation.changed',
  21,
  'Settings of the group changed. Only the changed ones are included, with their new values.',
  Type.Partial(Type.Object(groupFields)).properties,
)
