/** The rules of the kinds of entry that commands make, and what follows from them for those who read the log. */
import { type EntryKind, type EntryOp, kindMadeBy } from '@flotilla/protocol'
import { entries } from '@flotilla/protocol/schemas'
import { append } from './append.ts'
import type { AnyRule, Appended, InputOf } from './rule.ts'
import type { LogContext } from './context.ts'
import { deleting } from './messages/delete.ts'
import { editing } from './messages/edit.ts'
import { forwarding } from './messages/forward.ts'
import { pinning, unpinning } from './messages/pin.ts'
import { posting } from './messages/post.ts'
import { reacting } from './messages/react.ts'
import { closing, voting } from './messages/vote.ts'

const rules: { readonly [O in EntryOp]: AnyRule<O> } = {
  'message.send': posting,
  'message.edit': editing,
  'message.pin': pinning,
  'message.unpin': unpinning,
  'message.delete': deleting,
  'message.forward': forwarding,
  'message.react': reacting,
  'poll.vote': voting,
  'poll.close': closing,
}

/** What a command of the socket does, whichever it is. */
export const appendBy = <O extends EntryOp>(
  ctx: LogContext,
  by: string,
  op: O,
  input: InputOf<O>,
  origin?: object,
): Promise<Appended> => append<O>(ctx, by, rules[op], input, origin)

/** As SQL has a list: the numbers of the kinds of which that is said. */
const numbersOf = (says: 'counts' | 'pushes') =>
  Object.values(rules)
    .filter(rule => rule[says])
    .map(rule => entries[kindMadeBy[rule.op] satisfies EntryKind].number)
    .join(', ')

/** The kinds that are unread until they were read, and those of which a push tells. */
export const countedKinds = numbersOf('counts')
export const pushedKinds = numbersOf('pushes')
