/**
 * Counts reactions: what a message has and what each person has on it are read, changed and written for many people at once.
 * The connection holds the conversation, so nothing comes between.
 */
import { limits, type ReactionCounts, Refusal } from '@flotilla/protocol'
import { entries } from '@flotilla/protocol/schemas'
import type { PoolClient } from 'pg'
import { int8Array, uuidArray } from '../../store/binary-arrays.ts'
import type { LogContext } from '../context.ts'
import type { Reacting } from './crowd.ts'
import { reactionPart, toCounts } from './reactions.ts'
import { isRemoved, type TargetRow, targetColumns } from './target.ts'

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

/**
 * @param seq of the entry that will say it; none where there will be none, and the members are to be told later
 * @returns of each what has become of it, in their order
 */
export async function countReactions(
  ctx: LogContext,
  client: PoolClient,
  conversation: string,
  all: readonly Reacting[],
  seq: number | null,
): Promise<(Reacted | Unchanged | Refusal)[]> {
  const { messages, owns } = await read(ctx, client, conversation, all)
  const results = all.map(one => {
    const message = messages.get(one.target)
    if (message === undefined || one.target < one.joinedSeq)
      return new Refusal('message_unknown', undefined, { field: 'target' })
    return take(ctx, one, message, owns.get(one.by + one.target)!)
  })
  if (results.some(one => 'version' in one)) await write(client, conversation, { all, messages, owns, seq })
  return results
}

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
  nth: number
  version: number | null
  emojis: string[] | null
  counts: number[] | null
  own: string[] | null
  own_version: number | null
  own_seq: number | null
}

const readText = `
SELECT r AS nth, ${targetColumns}, c.version, c.emojis, c.counts, o.emojis AS own, o.version AS own_version,
       o.changed_seq AS own_seq
  FROM generate_series(1, cardinality($2::int8[])) r
  JOIN messages m ON m.conversation_id = $1 AND m.seq = ($2::int8[])[r] AND m.kind = ${entries['message.new'].number}
   AND coalesce(m.expires_at > now(), true)
  LEFT JOIN reaction_counts c ON c.conversation_id = $1 AND c.seq = m.seq
  LEFT JOIN reactions o ON o.conversation_id = $1 AND o.seq = m.seq AND o.user_id = ($3::uuid[])[r]`

async function read(ctx: LogContext, client: PoolClient, conversation: string, all: readonly Reacting[]) {
  const found = await client.query<Row>({
    name: 'reactions-before',
    text: readText,
    values: [conversation, int8Array(all.map(one => one.target)), uuidArray(all.map(one => one.by))],
  })
  const messages = new Map<number, Message>()
  const owns = new Map<string, Own>()
  const removed = new Set<number>()
  for (const row of found.rows) {
    const { target, by } = all[row.nth - 1]!
    if (!messages.has(target) && !removed.has(target)) {
      const { version, emojis, counts } = row
      if (await isRemoved(client, ctx.seal, conversation, row)) removed.add(target)
      else
        messages.set(target, {
          version: version ?? 0,
          counts: toCounts(emojis ?? [], counts ?? []),
          isNew: version === null,
        })
    }
    if (!owns.has(by + target))
      owns.set(by + target, {
        emojis: row.own ?? [],
        version: row.own_version ?? 0,
        changedSeq: row.own_seq,
        isChanged: false,
      })
  }
  return { messages, owns }
}

/** $2: what people have. $4: what messages have. $6: those of them that have something for the first time. */
const writeText = `
WITH ones AS (
  INSERT INTO reactions (conversation_id, seq, user_id, emojis, version, changed_seq)
  SELECT $1, target, by, emojis, version, $3
    FROM jsonb_to_recordset($2::jsonb) AS o (target int8, by uuid, emojis text[], version int)
      ON CONFLICT (conversation_id, seq, user_id) DO UPDATE
     SET emojis = EXCLUDED.emojis, version = EXCLUDED.version, changed_seq = EXCLUDED.changed_seq
), marked AS (
  UPDATE messages SET parts = coalesce(parts, 0) | ${reactionPart.bit} WHERE conversation_id = $1 AND seq = ANY($6::int8[])
)
INSERT INTO reaction_counts (conversation_id, seq, version, emojis, counts, untold)
SELECT $1, target, version, emojis, counts, $5
  FROM jsonb_to_recordset($4::jsonb) AS m (target int8, version int, emojis text[], counts int[])
    ON CONFLICT (conversation_id, seq) DO UPDATE
   SET version = EXCLUDED.version, emojis = EXCLUDED.emojis, counts = EXCLUDED.counts, untold = EXCLUDED.untold`

interface Changes {
  readonly all: readonly Reacting[]
  readonly messages: ReadonlyMap<number, Message>
  readonly owns: ReadonlyMap<string, Own>
  readonly seq: number | null
}

async function write(client: PoolClient, conversation: string, { all, messages, owns, seq }: Changes): Promise<void> {
  const people = new Map<string, object>()
  const targets = new Set<number>()
  for (const { by, target } of all) {
    const own = owns.get(by + target)
    if (own?.isChanged !== true) continue
    people.set(by + target, { target, by, emojis: own.emojis, version: own.version })
    targets.add(target)
  }
  const changed = [...targets].map(target => {
    const { version, counts } = messages.get(target)!
    return { target, version, emojis: counts.map(one => one.emoji), counts: counts.map(one => one.count) }
  })
  await client.query({
    name: 'reactions-write',
    text: writeText,
    values: [
      conversation,
      JSON.stringify([...people.values()]),
      seq,
      JSON.stringify(changed),
      seq === null,
      int8Array([...targets].filter(target => messages.get(target)!.isNew)),
    ],
  })
}
