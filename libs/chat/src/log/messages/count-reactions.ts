/**
 * Counts reactions: what messages have and what each person has on them are read, changed and written for many people at once.
 * The connection holds the conversations, so nothing comes between.
 */
import { limits, type ReactionCounts, Refusal } from '@flotilla/protocol'
import { entries } from '@flotilla/protocol/schemas'
import type { PoolClient } from 'pg'
import { uuidArray } from '../../store/binary-arrays.ts'
import type { LogContext } from '../context.ts'
import type { Reacting } from './crowd.ts'
import { givenMessages, givenPlaces, isGiven, keyOf, type MessagePlace, placeArrays } from './part.ts'
import { reactionPart, toCounts } from './reactions.ts'
import { isRemoved, type TargetRow, targetColumns } from './target.ts'

/** A reaction in its conversation. */
export interface Placed extends Reacting {
  readonly conversation: string
  /** Of the entry that will say it; none where there will be none, and the members are to be told later. */
  readonly seq: number | null
}

/** What a message has from there on, and the person on it. */
export interface Reacted {
  readonly target: number
  readonly version: number
  readonly counts: ReactionCounts
  readonly own: readonly string[]
}

/** Nothing to change: the entry that has said so, if there is one. */
export interface Unchanged {
  readonly said: number | null
}

interface Message {
  version: number
  counts: ReactionCounts
  readonly isNew: boolean
}

interface Own {
  emojis: readonly string[]
  version: number
  readonly changedSeq: number | null
  isChanged: boolean
}

/** @returns of each what has become of it, in their order */
export async function countReactions(
  ctx: LogContext,
  client: PoolClient,
  all: readonly Placed[],
): Promise<(Reacted | Unchanged | Refusal)[]> {
  const { messages, owns } = await read(ctx, client, all)
  const results = all.map(one => {
    const message = messages.get(messageKey(one))
    if (message === undefined || one.target < one.joinedSeq)
      return new Refusal('message_unknown', undefined, { field: 'target' })
    return take(ctx, one, message, owns.get(ownKey(one))!)
  })
  if (results.some(one => 'version' in one)) await write(client, { all, messages, owns })
  return results
}

const placeOf = ({ conversation, target: seq }: Placed): MessagePlace => ({ conversation, seq })
const messageKey = (one: Placed) => keyOf(placeOf(one))
const ownKey = (one: Placed) => one.by + messageKey(one)

function take(ctx: LogContext, one: Reacting, message: Message, own: Own): Reacted | Unchanged | Refusal {
  const { target, emoji, on } = one
  if (own.emojis.includes(emoji) === on) return { said: own.changedSeq }
  const { reactionEmojis } = ctx.settings
  if (on && reactionEmojis.length > 0 && !reactionEmojis.includes(emoji))
    return refusedEmoji(`one of ${reactionEmojis.join(' ')}`)
  const emojis = on ? [...own.emojis, emoji] : own.emojis.filter(other => other !== emoji)
  const counts = counted(message.counts, emoji, on ? 1 : -1)
  if (on && emojis.length > limits.reactionsPerPersonMax) return tooMany(limits.reactionsPerPersonMax)
  if (on && counts.length > limits.reactionsPerMessageMax) return tooMany(limits.reactionsPerMessageMax)
  message.version++
  message.counts = counts
  own.emojis = emojis
  own.version = message.version
  own.isChanged = true
  return { target, version: message.version, counts, own: emojis }
}

export const refusedEmoji = (rule: string) =>
  new Refusal('field_invalid', `emoji: must be ${rule}`, { field: 'emoji', rule })
const tooMany = (max: number) =>
  new Refusal('limit_reached', 'the message has as many different reactions as it may have', {
    rule: `maxItems ${max}`,
  })

function counted(before: ReactionCounts, emoji: string, by: 1 | -1): ReactionCounts {
  if (!before.some(one => one.emoji === emoji)) return [...before, { emoji, count: 1 }]
  return before.map(one => (one.emoji === emoji ? { emoji, count: one.count + by } : one)).filter(one => one.count > 0)
}

interface Row extends TargetRow {
  place: number
  version: number | null
  emojis: string[] | null
  counts: number[] | null
  own: string[] | null
  own_version: number | null
  own_seq: number | null
}

const readText = `
SELECT place, ${targetColumns}, c.version, c.emojis, c.counts, o.emojis AS own, o.version AS own_version,
       o.changed_seq AS own_seq
  FROM ${givenMessages}
  LEFT JOIN reaction_counts c ON c.conversation_id = g.conversation AND c.seq = g.seq
  LEFT JOIN reactions o ON o.conversation_id = g.conversation AND o.seq = g.seq AND o.user_id = ($3::uuid[])[place]
 WHERE m.kind = ${entries['message.new'].number} AND coalesce(m.expires_at > now(), true)`

async function read(ctx: LogContext, client: PoolClient, all: readonly Placed[]) {
  const found = await client.query<Row>({
    name: 'reactions-before',
    text: readText,
    values: [...placeArrays(all.map(placeOf)), uuidArray(all.map(one => one.by))],
  })
  const messages = new Map<string, Message>()
  const owns = new Map<string, Own>()
  const removed = new Set<string>()
  for (const row of found.rows) {
    const one = all[row.place - 1]!
    const key = messageKey(one)
    if (!messages.has(key) && !removed.has(key)) {
      const { version, emojis, counts } = row
      if (await isRemoved(client, ctx.seal, one.conversation, row)) removed.add(key)
      else
        messages.set(key, {
          version: version ?? 0,
          counts: toCounts(emojis ?? [], counts ?? []),
          isNew: version === null,
        })
    }
    const own = ownKey(one)
    if (!owns.has(own))
      owns.set(own, {
        emojis: row.own ?? [],
        version: row.own_version ?? 0,
        changedSeq: row.own_seq,
        isChanged: false,
      })
  }
  return { messages, owns }
}

/** $1 and $2: the messages that have something for the first time. $3: what people have. $4: what messages have. */
const writeText = `
WITH ones AS (
  INSERT INTO reactions (conversation_id, seq, user_id, emojis, version, changed_seq)
  SELECT conversation, target, by, emojis, version, changed
    FROM jsonb_to_recordset($3::jsonb) AS o (conversation uuid, target int8, by uuid, emojis text[], version int, changed int8)
      ON CONFLICT (conversation_id, seq, user_id) DO UPDATE
     SET emojis = EXCLUDED.emojis, version = EXCLUDED.version, changed_seq = EXCLUDED.changed_seq
), marked AS (
  UPDATE messages m SET parts = coalesce(parts, 0) | ${reactionPart.bit} FROM ${givenPlaces} WHERE ${isGiven}
)
INSERT INTO reaction_counts (conversation_id, seq, version, emojis, counts, untold)
SELECT conversation, target, version, emojis, counts, untold
  FROM jsonb_to_recordset($4::jsonb) AS m (conversation uuid, target int8, version int, emojis text[], counts int[], untold boolean)
    ON CONFLICT (conversation_id, seq) DO UPDATE
   SET version = EXCLUDED.version, emojis = EXCLUDED.emojis, counts = EXCLUDED.counts, untold = EXCLUDED.untold`

interface Changes {
  readonly all: readonly Placed[]
  readonly messages: ReadonlyMap<string, Message>
  readonly owns: ReadonlyMap<string, Own>
}

async function write(client: PoolClient, { all, messages, owns }: Changes): Promise<void> {
  const people = new Map<string, object>()
  const targets = new Map<string, Placed>()
  for (const one of all) {
    const { conversation, target, by, seq } = one
    const own = owns.get(ownKey(one))
    if (own?.isChanged !== true) continue
    people.set(ownKey(one), { conversation, target, by, emojis: own.emojis, version: own.version, changed: seq })
    targets.set(messageKey(one), one)
  }
  const changed = [...targets].map(([key, { conversation, target, seq }]) => {
    const { version, counts } = messages.get(key)!
    const emojis = counts.map(one => one.emoji)
    return { conversation, target, version, emojis, counts: counts.map(one => one.count), untold: seq === null }
  })
  const fresh = [...targets.values()].filter(one => messages.get(messageKey(one))!.isNew)
  await client.query({
    name: 'reactions-write',
    text: writeText,
    values: [...placeArrays(fresh.map(placeOf)), JSON.stringify([...people.values()]), JSON.stringify(changed)],
  })
}
