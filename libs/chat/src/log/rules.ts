/** The rules of the kinds of entry that commands make, and what follows from them for those who read the log. */
import { type EntryKind, type EntryOp, entries, kindMadeBy } from '@flotilla/protocol'
import type { Rule } from './append.ts'
import { posting } from './messages/post.ts'

export const rules: { readonly [O in EntryOp]: Rule<O> } = {
  'message.send': posting,
}

/** As SQL has a list: the numbers of the kinds of which that is said. */
const numbersOf = (says: 'counts' | 'pushes') =>
  Object.values(rules)
    .filter(rule => rule[says])
    .map(rule => entries[kindMadeBy[rule.op] satisfies EntryKind].number)
    .join(', ')

/** The kinds that are unread until they were read, and those of which a push tells. */
export const countedKinds = numbersOf('counts')
export const pushedKinds = numbersOf('pushes')
