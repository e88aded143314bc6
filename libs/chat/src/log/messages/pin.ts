/** Pins a message for everybody in the conversation, and takes the pin away. */
import { limits, Refusal } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import { demandPermitted } from '../../access.ts'
import { int8Array, uuidArray } from '../../store/binary-arrays.ts'
import { append } from '../append.ts'
import type { Appended, InputOf, LockedBy, LockedRule } from '../rule.ts'
import type { LogContext } from '../context.ts'
import { eachByItself } from '../each-by-itself.ts'
import { givenPlaces, isGiven, type MessagePlace, placeArrays } from './part.ts'
import { pinPart } from './pins.ts'
import { readTargetsAt } from './target.ts'

const unknown = (message?: string) => new Refusal('message_unknown', message, { field: 'target' })

type Pinning = LockedBy & { readonly input: { readonly target: number } }

export const pinning: LockedRule<'message.pin'> = {
  op: 'message.pin',
  counts: false,
  pushes: false,
  refuse: () => undefined,
  async applyAll(ctx, client, all) {
    const messages = await readTargetsAt(client, ctx.seal, all.map(placeOf))
    const pins = await readPins(client, all)
    const applied = eachByItself(all, ({ membership, member, input: { target } }, at) => {
      demandPermitted(membership.rules, 'pin', member.role)
      const [message, before] = [messages[at], pins[at]!]
      if (message === undefined || target < member.joinedSeq || message.removed !== undefined) throw unknown()
      if (before.pinned === true) return { said: before.changedSeq }
      if (before.pins >= limits.pinsMax)
        throw new Refusal('limit_reached', 'the limit of pinned messages is reached', {
          rule: `maxItems ${limits.pinsMax}`,
        })
      return { payload: { target } }
    })
    await writePins(client, changing(all, applied), true)
    return applied
  },
}

export const unpinning: LockedRule<'message.unpin'> = {
  op: 'message.unpin',
  counts: false,
  pushes: false,
  refuse: () => undefined,
  async applyAll(_ctx, client, all) {
    const pins = await readPins(client, all)
    const applied = eachByItself(all, ({ membership, member, input: { target } }, at) => {
      demandPermitted(membership.rules, 'pin', member.role)
      const before = pins[at]!
      if (target < member.joinedSeq || before.pinned === null) throw unknown('no such message was ever pinned')
      return before.pinned ? { payload: { target } } : { said: before.changedSeq }
    })
    await writePins(client, changing(all, applied), false)
    return applied
  },
}

/**
 * @throws Refusal message_unknown, role_insufficient, limit_reached, and those of `append`
 */
export const pin = (ctx: LogContext, by: string, input: InputOf<'message.pin'>): Promise<Appended> =>
  append(ctx, by, pinning, input)

/** @throws Refusal message_unknown, role_insufficient, and those of `append` */
export const unpin = (ctx: LogContext, by: string, input: InputOf<'message.unpin'>): Promise<Appended> =>
  append(ctx, by, unpinning, input)

const placeOf = ({ conversation, input: { target: seq } }: Pinning): MessagePlace => ({ conversation, seq })

/** A message that never was pinned has no row; the conversation has so many. */
type Pin = ({ pinned: boolean; changedSeq: number } | { pinned: null }) & { pins: number }

const changing = (all: readonly Pinning[], applied: readonly (object | Refusal)[]) =>
  all.filter((_, at) => 'payload' in applied[at]!)

async function readPins(client: PoolClient, all: readonly Pinning[]): Promise<readonly Pin[]> {
  const found = await client.query<Pin>({
    name: 'pins-before',
    text: `SELECT p.pinned, p.changed_seq AS "changedSeq",
                  (SELECT count(*)::int FROM pins o WHERE o.conversation_id = g.conversation AND o.pinned) AS pins
             FROM ${givenPlaces} LEFT JOIN pins p ON p.conversation_id = g.conversation AND p.seq = g.seq
            ORDER BY place`,
    values: placeArrays(all.map(placeOf)),
  })
  return found.rows
}

/** $3 and $4: the entries that say so, and whose they are. */
const writeText = `
WITH marked AS (
  UPDATE messages m SET parts = coalesce(parts, 0) | ${pinPart.bit}
    FROM ${givenPlaces} WHERE ${isGiven} AND coalesce(parts, 0) & ${pinPart.bit} = 0
)
INSERT INTO pins (conversation_id, seq, pinned, changed_seq, changed_by)
SELECT conversation, seq, $5, ($3::int8[])[place], ($4::uuid[])[place] FROM ${givenPlaces}
    ON CONFLICT (conversation_id, seq)
    DO UPDATE SET pinned = EXCLUDED.pinned, changed_seq = EXCLUDED.changed_seq, changed_by = EXCLUDED.changed_by`

async function writePins(client: PoolClient, all: readonly Pinning[], pinned: boolean): Promise<void> {
  if (all.length === 0) return
  await client.query({
    name: 'pins-write',
    text: writeText,
    values: [
      ...placeArrays(all.map(placeOf)),
      int8Array(all.map(one => one.seq)),
      uuidArray(all.map(one => one.by)),
      pinned,
    ],
  })
}
