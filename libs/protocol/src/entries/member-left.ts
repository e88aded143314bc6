import { entry } from '../message.ts'

export const memberLeft = entry('member.left', 6, 'The person named in `by` left.', {})
