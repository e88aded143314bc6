/** The kind of entry that each command makes, for clients: they have the types of the wire, and none of its schemas. */
import type { EntryOp, KindMadeBy } from './entries.ts'

export const kindMadeBy: { readonly [O in EntryOp]: KindMadeBy<O> } = {
  'message.send': 'message.new',
  'message.edit': 'message.edited',
  'message.pin': 'message.pinned',
  'message.unpin': 'message.unpinned',
  'message.delete': 'message.deleted',
  'message.forward': 'message.new',
  'message.react': 'message.reacted',
  'poll.vote': 'poll.voted',
  'poll.close': 'poll.closed',
}
