/** Pins a message for everybody in the conversation, and takes the pin away. */
import { limits, Refusal } from '@flotilla/protocol'
import { demandPermitted } from '../../access.ts'
import { append, type Appended, type InputOf, type LockedBy, type LockedRule } from '../append.ts'
import type { LogContext } from '../context.ts'
import { markPart } from './part.ts'
import { pinPart } from './pins.ts'
import { readTarget } from './target.ts'

const unknown = (message?: string) => new Refusal('message_unknown', message, { field: 'target' })

export const pinning: LockedRule<'message.pin'> = {
  op: 'message.pin',
  counts: false,
  pushes: false,
  refuse: () => undefined,
  async apply(ctx, locked, { target }) {
    const { client, conversation, membership, member, seq } = locked
    demandPermitted(membership.rules, 'pin', member.role)
    const message = await readTarget(client, ctx.seal, conversation, target)
    if (message === undefined || target < member.joinedSeq || message.removed !== undefined) throw unknown()
    const before = await readPin(locked, target)
    if (before?.pinned === true) return { said: before.changedSeq }
    if ((await countPins(locked)) >= limits.pinsMax)
      throw new Refusal('limit_reached', 'the limit of pinned messages is reached', {
        rule: `maxItems ${limits.pinsMax}`,
      })
    await writePin(locked, target, true, seq)
    await markPart(client, { conversation, seq: target }, pinPart)
    return { payload: { target } }
  },
}

export const unpinning: LockedRule<'message.unpin'> = {
  op: 'message.unpin',
  counts: false,
  pushes: false,
  refuse: () => undefined,
  async apply(_ctx, locked, { target }) {
    const { membership, member, seq } = locked
    demandPermitted(membership.rules, 'pin', member.role)
    const before = target < member.joinedSeq ? undefined : await readPin(locked, target)
    if (before === undefined) throw unknown('no such message was ever pinned')
    if (!before.pinned) return { said: before.changedSeq }
    await writePin(locked, target, false, seq)
    return { payload: { target } }
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

async function readPin({ client, conversation }: LockedBy, target: number) {
  const found = await client.query<{ pinned: boolean; changedSeq: number }>(
    'SELECT pinned, changed_seq AS "changedSeq" FROM pins WHERE conversation_id = $1 AND seq = $2',
    [conversation, target],
  )
  return found.rows[0]
}

async function countPins({ client, conversation }: LockedBy): Promise<number> {
  const found = await client.query<{ pins: number }>(
    'SELECT count(*)::int AS pins FROM pins WHERE conversation_id = $1 AND pinned',
    [conversation],
  )
  return found.rows[0]!.pins
}

async function writePin({ client, conversation, by }: LockedBy, target: number, pinned: boolean, seq: number) {
  await client.query(
    `INSERT INTO pins (conversation_id, seq, pinned, changed_seq, changed_by) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (conversation_id, seq)
         DO UPDATE SET pinned = EXCLUDED.pinned, changed_seq = EXCLUDED.changed_seq, changed_by = EXCLUDED.changed_by`,
    [conversation, target, pinned, seq, by],
  )
}
