import { Type } from 'typebox'
import { limits } from '../limits.ts'
import { entry } from '../message.ts'

export const conversationRenamed = entry('conversation.renamed', 3, 'The group was renamed.', {
  name: Type.String({ maxLength: limits.nameLengthMax }),
})
