/**
 * What somebody has hidden for themselves: single messages, and everything up to a seq. For them it is as if it were not
 * there; to the others it is what it was. Every reader of messages in somebody's name goes by what stands here.
 */
import type { Entry, EntryOf } from '@flotilla/protocol'
import { int8Array, uuidArray } from '../../store/binary-arrays.ts'
import type { LogContext } from '../context.ts'
import type { MessagePlace } from './part.ts'

/** As SQL: the first seq that a member with these columns sees; null of nobody. */
export const firstSeen = (member: string) => `greatest(${member}.joined_seq, ${member}.cleared_seq + 1)`

/** As SQL: the person has not hidden the message. */
export const notHidden = (message: string, user: string) => `NOT EXISTS (
  SELECT FROM hidden_messages h
   WHERE h.conversation_id = ${message}.conversation_id AND h.user_id = ${user} AND h.seq = ${message}.seq)`

/** Whether the person sees nothing there: they have hidden it, or it lies outside their part of the conversation. */
export async function isHidden(ctx: LogContext, user: string, { conversation, seq }: MessagePlace): Promise<boolean> {
  const found = await ctx.pool.query({
    name: 'message-seen',
    text: `SELECT FROM members mb JOIN messages m ON m.conversation_id = mb.conversation_id
            WHERE mb.conversation_id = $1 AND mb.user_id = $2 AND m.seq = $3 AND m.seq >= ${firstSeen('mb')}
              AND ${notHidden('m', 'mb.user_id')}`,
    values: [conversation, user, seq],
  })
  return found.rowCount === 0
}

/** The message that an entry of the log is about, where it says what that says. */
const subjectOf = (entry: Entry): number | undefined => {
  if (entry.event === 'message.new') return entry.seq
  return entry.event === 'message.edited' && entry.body !== undefined ? entry.target : undefined
}

/**
 * What the reader has hidden of these entries.
 * @returns the entry as they get it: the place of a hidden message, and of an edit of one that it was
 */
export async function withoutHidden(
  ctx: LogContext,
  viewer: string,
  entries: readonly Entry[],
): Promise<(entry: Entry) => Entry> {
  const subjects = entries.flatMap(entry => {
    const seq = subjectOf(entry)
    return seq === undefined ? [] : [{ conversation: entry.conversation, seq }]
  })
  if (subjects.length === 0) return entry => entry
  const seqs = subjects.map(subject => subject.seq)
  const found = await ctx.pool.query<MessagePlace>({
    name: 'messages-hidden',
    text: `SELECT conversation_id AS conversation, seq FROM hidden_messages
            WHERE conversation_id = ANY($1) AND user_id = $2 AND seq BETWEEN ($3::int8[])[1] AND ($3::int8[])[2]`,
    values: [
      uuidArray([...new Set(subjects.map(subject => subject.conversation))]),
      viewer,
      int8Array([Math.min(...seqs), Math.max(...seqs)]),
    ],
  })
  if (found.rows.length === 0) return entry => entry
  const hidden = new Set(found.rows.map(({ conversation, seq }) => `${conversation}/${seq}`))
  return entry => {
    const seq = subjectOf(entry)
    if (seq === undefined || !hidden.has(`${entry.conversation}/${seq}`)) return entry
    return entry.event === 'message.new' ? placeOf(entry) : withoutBody(entry as EntryOf<'message.edited'>)
  }
}

const placeOf = ({ conversation, seq, epoch, at, by }: Entry): EntryOf<'message.hidden'> => ({
  event: 'message.hidden',
  conversation,
  seq,
  epoch,
  at,
  by,
})

function withoutBody(entry: EntryOf<'message.edited'>): Entry {
  const { body: _, ...edited } = entry
  return edited
}
