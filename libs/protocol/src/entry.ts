/**
 * The entries of a conversation's log. An entry is the same object in a live event, in a page of history and in a
 * replay, so that a client folds them with one function. New kinds are added to the end; a client that does not know
 * a kind advances its cursor and passes it over.
 */
import { Type } from 'typebox'
import { At, Body, Epoch, MemberRef, Role, Seq, Uuid } from './fields.ts'
import { limits } from './limits.ts'
import { entry } from './message.ts'

const place = { conversation: Uuid, seq: Seq, epoch: Epoch, at: At, by: Uuid }

export const messageNew = entry('message.new', 'Somebody posted a message.', {
  ...place,
  clientId: Uuid,
  body: Body,
  replyTo: Type.Optional(Seq),
  removed: Type.Optional(
    Type.Literal('operator', {
      description: 'An operator took away what was said. The body says so in words, for clients that do not know this.',
    }),
  ),
})

export const conversationCreated = entry('conversation.created', 'The conversation begins. Always seq 1.', {
  ...place,
  kind: Type.Union([Type.Literal('direct'), Type.Literal('group')]),
  name: Type.Optional(Type.String({ maxLength: limits.nameLengthMax })),
  members: Type.Array(MemberRef),
})

export const conversationRenamed = entry('conversation.renamed', 'The group has another name.', {
  ...place,
  name: Type.String({ maxLength: limits.nameLengthMax }),
})

export const memberAdded = entry('member.added', 'People joined. They see entries from this one on.', {
  ...place,
  members: Type.Array(MemberRef),
  since: Type.Optional(
    Type.With(Seq, {
      description:
        'They see entries from there on instead: who accepts a direct conversation sees what was said to them before.',
    }),
  ),
})

export const memberRemoved = entry(
  'member.removed',
  'Somebody was removed. It is the last entry that this person gets.',
  {
    ...place,
    user: Uuid,
  },
)

export const memberLeft = entry('member.left', 'The person named in `by` left.', place)

export const memberChanged = entry('member.changed', 'A member has another role.', { ...place, user: Uuid, role: Role })

/** The kinds of entry by the name of their event. */
export const entries = {
  'message.new': messageNew,
  'conversation.created': conversationCreated,
  'conversation.renamed': conversationRenamed,
  'member.added': memberAdded,
  'member.removed': memberRemoved,
  'member.left': memberLeft,
  'member.changed': memberChanged,
} as const

export const Entry = Type.Union([
  messageNew.schema,
  conversationCreated.schema,
  conversationRenamed.schema,
  memberAdded.schema,
  memberRemoved.schema,
  memberLeft.schema,
  memberChanged.schema,
])

/** One entry of a conversation's log. */
export type Entry = Type.Static<typeof Entry>
export type EntryKind = keyof typeof entries
/** An entry of one kind: `EntryOf<'message.new'>`. */
export type EntryOf<K extends EntryKind> = Type.Static<(typeof entries)[K]['schema']>
