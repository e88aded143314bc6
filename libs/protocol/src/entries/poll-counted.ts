import { Type } from 'typebox'
import { Seq } from '../fields.ts'
import { limits } from '../limits.ts'
import { entry } from '../message.ts'

const Count = Type.Integer({ minimum: 0 })

/** How a poll stands. Whatever says so says it whole. */
export const standing = {
  target: Type.With(Seq, { description: 'The seq of the poll.' }),
  counts: Type.Array(Count, { maxItems: limits.pollOptionsMax, description: 'Votes for each option.' }),
  voters: Type.With(Count, { description: 'How many users have voted.' }),
}

export const pollCounted = entry(
  'poll.counted',
  18,
  'New totals of an anonymous poll, or of a poll in a large conversation; sent at a limited rate. It names no voters: `by` is the author of the poll.',
  standing,
)
