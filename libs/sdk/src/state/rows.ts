/** Messages as rows: what the fold knows, and over it what one is about to change. */
import { type Body, bodyAs, type MessageState, qualifyEmoji, type Quote } from '@flotilla/protocol'
import { given } from './same.ts'
import type { Alteration, Pending, Posting } from './sends.ts'
import type { MessageRow, NoticeEntry, NoticeRow, PollView, ReactionView } from './views.ts'

/** All that a row is made of: the same parts make the same row. */
export interface Parts {
  readonly seq: number
  readonly message: MessageState
  readonly quote: Quote | undefined
  readonly vote: readonly number[] | undefined
  readonly changes: readonly Pending<Alteration>[]
}

export function rowOf({ seq, message, quote, vote, changes }: Parts, self: string): MessageRow | undefined {
  const { posted, content, pin, reactions, own: mine, replies, poll } = message
  if (posted === undefined || content === undefined) return undefined
  const { by, at, clientId, replyTo, forwarded, expiresAt, thread } = posted
  const { body, editedAt, removed } = content.value
  const own = by === self
  const row: MessageRow = {
    kind: 'message',
    // Another's clientId may be anything, also one of ours.
    key: own ? clientId : `${by}/${clientId}`,
    seq,
    by,
    at,
    own,
    body,
    state: 'sent',
    changing: false,
    pinned: pin?.value ?? false,
    reactions: (reactions?.counts ?? []).map(one => ({ ...one, own: mine?.emojis.includes(one.emoji) ?? false })),
    ...given({ editedAt, removed, replyTo, quote, forwarded, expiresAt, thread }),
    ...(replies === undefined ? {} : { replies: { count: replies.count, lastAt: replies.lastAt } }),
    ...(removed === undefined ? pollOf(body, poll?.value, vote) : {}),
  }
  return changes.reduce((before, { draft }) => ({ ...changed(before, draft), changing: true }), row)
}

export const noticeRow = (entry: NoticeEntry): NoticeRow => {
  const { seq, by, at } = entry
  return { kind: 'notice', key: `#${seq}`, seq, by, at, entry }
}

export function pendingRow(
  { clientId, draft, at, state, seq, error }: Pending<Posting>,
  self: string,
  parts: {
    readonly body: Body
    readonly quote: Quote | undefined
  },
): MessageRow {
  const { replyTo, thread } = draft.op === 'message.send' ? draft : ({} as { replyTo?: number; thread?: number })
  return {
    kind: 'message',
    key: clientId,
    by: self,
    at,
    own: true,
    body: parts.body,
    state,
    changing: false,
    pinned: false,
    reactions: [],
    ...given({ seq, error, replyTo, quote: parts.quote, thread }),
    ...pollOf(parts.body, undefined, undefined),
  }
}

function pollOf(
  body: Body,
  poll: PollView | undefined,
  mine: readonly number[] | undefined,
): { readonly poll?: PollView } {
  const asked = bodyAs('poll', body)
  if (asked === undefined) return {}
  const standing = poll ?? { counts: asked.options.map(() => 0), voters: 0 }
  return { poll: { ...standing, ...given({ mine }) } }
}

function changed(row: MessageRow, draft: Alteration): MessageRow {
  if (row.removed !== undefined) return row
  switch (draft.op) {
    case 'message.edit':
      return { ...row, body: draft.body }
    case 'message.delete': {
      const { poll: _poll, quote: _quote, ...rest } = row
      return { ...rest, removed: row.own ? 'sender' : 'admin', body: { text: '' }, reactions: [], pinned: false }
    }
    case 'message.pin':
      return { ...row, pinned: true }
    case 'message.unpin':
      return { ...row, pinned: false }
    case 'message.react':
      return { ...row, reactions: reacted(row.reactions, qualifyEmoji(draft.emoji) ?? draft.emoji, draft.on) }
    case 'poll.vote':
      return row.poll === undefined ? row : { ...row, poll: voted(row.poll, draft.options) }
    default:
      return row.poll === undefined ? row : { ...row, poll: { ...row.poll, closed: true } }
  }
}

function reacted(reactions: readonly ReactionView[], emoji: string, on: boolean): readonly ReactionView[] {
  const before = reactions.find(one => one.emoji === emoji)
  if ((before?.own ?? false) === on) return reactions
  if (before === undefined) return [...reactions, { emoji, count: 1, own: true }]
  const now = { emoji, count: before.count + (on ? 1 : -1), own: on }
  return reactions.flatMap(one => (one !== before ? [one] : now.count > 0 ? [now] : []))
}

function voted(poll: PollView, options: readonly number[]): PollView {
  const before = poll.mine ?? []
  const counts = poll.counts.map((count, at) => count + (options.includes(at) ? 1 : 0) - (before.includes(at) ? 1 : 0))
  const voters = poll.voters + (options.length > 0 ? 1 : 0) - (before.length > 0 ? 1 : 0)
  return { ...poll, counts, voters, mine: options }
}
