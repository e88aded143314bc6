import { Type } from 'typebox'
import { limits } from '../limits.ts'
import { Seq } from '../fields.ts'
import { entryByCommand } from '../message.ts'
import { standing } from './poll-counted.ts'

const Options = Type.Array(Type.Integer({ minimum: 0, maximum: limits.pollOptionsMax - 1 }), {
  maxItems: limits.pollOptionsMax,
  uniqueItems: true,
  description: 'Indexes of the chosen options, from 0. Empty: the vote is withdrawn.',
})

export const pollVoted = entryByCommand(
  'poll.voted',
  16,
  'A user voted in a poll that is not anonymous, changed their vote, or withdrew it.',
  { ...standing, options: Options },
  {
    op: 'poll.vote',
    description:
      'Votes in a poll; replaces an earlier vote. In anonymous polls and in large conversations the vote makes no entry: the reply returns the last entry about the poll, and `poll.counted` follows within a few seconds.',
    fields: { target: standing.target, options: Options },
  },
)

export const pollClosed = entryByCommand(
  'poll.closed',
  17,
  'A poll was closed; these are its results. If it closed at its closing time and anyone had voted, a worker writes the entry, and `by` is the author of the poll.',
  standing,
  {
    op: 'poll.close',
    description:
      'Closes a poll permanently. For its author; in groups also for owners and admins. If the poll is already closed, returns the entry that closed it.',
    fields: { target: Type.With(Seq, { description: 'The seq of the poll.' }) },
  },
)
