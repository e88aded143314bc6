/**
 * What a message has beside its row, and is shown with it: a bit in the row says that there is something to read, so that
 * a page pays for what its messages have. Each part says its own seq, the last entry that it knows of, and stays where it
 * is once it was there: so a fold needs no order (libs/protocol/src/fold.ts).
 */
import type { EntryOf } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import { int8Array, uuidArray } from '../../store/binary-arrays.ts'
import type { LogContext } from '../context.ts'

export interface MessagePlace {
  readonly conversation: string
  readonly seq: number
}

/** A field of a message as it stands. */
export interface MessagePart<Field extends keyof EntryOf<'message.new'>> {
  readonly field: Field
  /** Of `messages.parts`, for ever. */
  readonly bit: number
  /**
   * Reads the part of all messages of an answer, in one statement.
   * @param viewer who reads
   * @returns by `keyOf`; a message without an entry there has none
   */
  read(
    ctx: LogContext,
    viewer: string,
    places: readonly MessagePlace[],
  ): Promise<ReadonlyMap<string, EntryOf<'message.new'>[Field]>>
}

export const keyOf = ({ conversation, seq }: MessagePlace): string => `${conversation}/${seq}`

/** As parameters: the conversations and the seqs. */
export const placeArrays = (places: readonly MessagePlace[]): [Buffer, Buffer] => [
  uuidArray(places.map(place => place.conversation)),
  int8Array(places.map(place => place.seq)),
]

/** As SQL: the same as rows of a statement that has them as $1 and $2, each with its number, from 1. */
export const givenPlaces = 'unnest($1::uuid[], $2::int8[]) WITH ORDINALITY AS g (conversation, seq, place)'
/** As SQL: messages `m` of these, each found by its key, whatever the table holds when it is planned. */
export const givenMessages = `${givenPlaces}
  CROSS JOIN LATERAL (SELECT * FROM messages WHERE conversation_id = g.conversation AND seq = g.seq OFFSET 0) m`

/**
 * As SQL, of an UPDATE from `givenPlaces`: it is the row `m` of messages. What a seq and a number always are is said for the
 * planner, which then takes the places for one and finds that by its key.
 */
export const isGiven = 'm.conversation_id = g.conversation AND m.seq = g.seq AND g.seq > 0 AND g.place > 0'

/** From now on the message has the part. The connection holds the conversation. */
export async function markPart(
  client: PoolClient,
  { conversation, seq }: MessagePlace,
  { bit }: { readonly bit: number },
): Promise<void> {
  await client.query({
    name: 'parts-mark',
    text: `UPDATE messages SET parts = coalesce(parts, 0) | $3
            WHERE conversation_id = $1 AND seq = $2 AND coalesce(parts, 0) & $3 = 0`,
    values: [conversation, seq, bit],
  })
}
