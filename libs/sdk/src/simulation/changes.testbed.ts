/**
 * What changes messages, in a model: each verb is a few lines that say what its entry says. How a message stands then is the
 * fold of its log, so that a kind which the fold knows needs nothing more here than its verb.
 */
import {
  type CommandOf,
  conversationOf,
  type Entry,
  type EntryOf,
  foldAll,
  type MessageState,
  type PollBody,
  qualifyEmoji,
} from '@flotilla/protocol'
import { ModelRefusal } from './model-refusal.testbed.ts'

/** A command by which somebody changes a message that is there. */
export type ChangeOp =
  | 'message.edit'
  | 'message.delete'
  | 'message.pin'
  | 'message.unpin'
  | 'message.react'
  | 'poll.vote'
  | 'poll.close'

/** The log of a conversation, without the epoch: that is the store's, at the time when it is read. */
export type Row = DistributiveOmit<Entry, 'epoch'>
export type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never

/** What a command comes to: the fields of a new entry, the seq of the one that has said so already, or nothing. */
type Outcome<O extends ChangeOp> = Made<O> | number | null
type Made<O extends ChangeOp> = { event: string; target: number } & Record<string, unknown> & { op?: O }

interface Target {
  readonly by: string
  readonly state: MessageState
  /** All that was said of it. */
  readonly changes: readonly Row[]
}

const gone = { text: 'This message was deleted.' }
const unknown = () => new ModelRefusal('message_unknown')

const verbs: { readonly [O in ChangeOp]: (on: Target, command: CommandOf<O>, user: string) => Outcome<O> } = {
  'message.edit'({ by, state }, { target, body }, user) {
    if (by !== user || isGone(state)) throw unknown()
    return { event: 'message.edited', target, body }
  },
  'message.delete'({ by, state }, { target }, user) {
    if (isGone(state)) return state.content!.seq
    return { event: 'message.deleted', target, removed: by === user ? 'sender' : 'admin', body: gone }
  },
  'message.pin'({ state }, { target }) {
    if (isGone(state)) throw unknown()
    return state.pin?.value === true ? state.pin.seq : { event: 'message.pinned', target }
  },
  'message.unpin'({ state }, { target }) {
    if (state.pin === undefined) throw unknown()
    return state.pin.value ? { event: 'message.unpinned', target } : state.pin.seq
  },
  'message.react'({ state, changes }, { target, emoji: given, on }, user) {
    if (isGone(state)) throw unknown()
    const emoji = qualifyEmoji(given)!
    const reacted = lastOfEach(changes, 'message.reacted')
    const before = reacted.get(user)?.own ?? []
    if (before.includes(emoji) === on) return null
    const own = on ? [...before, emoji] : before.filter(one => one !== emoji)
    const all = [...reacted].flatMap(([by, row]) => (by === user ? [] : row.own)).concat(own)
    const counts = [...Map.groupBy(all, one => one)].map(([of, ones]) => ({ emoji: of, count: ones.length }))
    const version = (state.reactions?.version ?? 0) + 1
    return { event: 'message.reacted', target, emoji, on, version, counts, own }
  },
  'poll.vote'({ state, changes }, { target, options }, user) {
    const poll = pollOf(state)
    if (state.poll?.value.closed === true) throw new ModelRefusal('vote_refused')
    const voted = lastOfEach(changes, 'poll.voted')
    const votes = [...voted].flatMap(([by, row]) => (by === user ? [] : [row.options])).concat([options])
    const counts = poll.options.map((_, nth) => votes.filter(vote => vote.includes(nth)).length)
    const voters = votes.filter(vote => vote.length > 0).length
    return { event: 'poll.voted', target, options, counts, voters }
  },
  'poll.close'({ by, state }, { target }, user) {
    const poll = pollOf(state)
    if (by !== user) throw new ModelRefusal('role_insufficient')
    const { counts = poll.options.map(() => 0), voters = 0, closed } = state.poll?.value ?? {}
    return closed === true ? state.poll!.seq : { event: 'poll.closed', target, counts, voters }
  },
}

/**
 * @param since the first seq that the person may see
 * @throws ModelRefusal
 */
export function changeBy(
  log: readonly Row[],
  user: string,
  since: number,
  command: CommandOf<ChangeOp>,
): Outcome<ChangeOp> {
  const { op, target } = command
  const message = log[target - 1]
  if (message?.event !== 'message.new' || target < since) throw unknown()
  const state = foldAll(conversationOf(user), withEpoch(log)).messages.get(target)!
  const changes = log.filter(row => 'target' in row && row.target === target)
  const verb = verbs[op] as (on: Target, command: CommandOf<ChangeOp>, user: string) => Outcome<ChangeOp>
  return verb({ by: message.by, state, changes }, command, user)
}

/** Rows as one reader gets them: messages with all that was said of them, edits without a body that count no longer. */
export function asTheyStand(log: readonly Row[], viewer: string): Row[] {
  const { messages } = foldAll(conversationOf(viewer), withEpoch(log))
  return log.map(row => {
    if (row.event === 'message.edited' && messages.get(row.target)?.content?.seq !== row.seq) {
      const { body: _, ...outdated } = row
      return outdated
    }
    return row.event === 'message.new' ? standing(row, messages.get(row.seq)!) : row
  })
}

function standing(row: Row & { event: 'message.new' }, { content, pin, reactions, own, poll }: MessageState): Row {
  return {
    ...row,
    ...content!.value,
    ...(content!.seq === row.seq ? {} : { changedSeq: content!.seq }),
    ...(pin === undefined ? {} : { pin: { seq: pin.seq, pinned: pin.value } }),
    ...(reactions === undefined ? {} : { reactions: { ...reactions, ...(own === undefined ? {} : { own }) } }),
    ...(poll === undefined ? {} : { poll: { seq: poll.seq, ...poll.value } }),
  } as Row
}

/** What no later entry changes of it. */
export function placeOf(entry: Entry): object {
  const { body: _, changedSeq: _seq, editedAt: _at, removed: _removed, ...rest } = entry as EntryOf<'message.new'>
  const { pin: _pin, reactions: _reactions, poll: _poll, ...place } = rest
  return place
}

const isGone = ({ content }: MessageState) => content?.value.removed !== undefined

function pollOf({ content }: MessageState): PollBody {
  const body = content!.value.body as Partial<PollBody>
  if (body.type !== 'poll') throw unknown()
  return body as PollBody
}

/** By person, what they said last of this kind. */
function lastOfEach<K extends Entry['event']>(changes: readonly Row[], event: K): Map<string, EntryOf<K>> {
  const ofKind = changes.filter(row => row.event === event) as unknown as EntryOf<K>[]
  return new Map(ofKind.map(row => [row.by, row]))
}

const withEpoch = (log: readonly Row[]) => log.map(row => ({ ...row, epoch: 0 }) as Entry)
