import { entry } from '../message.ts'

export const memberLeft = entry('member.left', 6, 'The member in `by` left.', {})
