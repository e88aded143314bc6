/** What a push service answered, and what follows from it. */
import type { PushContext } from './context.ts'
import type { Delivery } from './claim.ts'

interface Because {
  readonly status?: number
  /** A code of the service or of the network; never a text that could hold a token. */
  readonly reason: string
}

export type Answer =
  | { readonly answer: 'sent'; readonly id?: string }
  /** The token is dead: the device goes. */
  | ({ readonly answer: 'gone' } & Because)
  /** The service will never take it. */
  | ({ readonly answer: 'refused' } & Because)
  /** It was surely not taken and may be tried again, not before `retryMs`. */
  | ({ readonly answer: 'later'; readonly retryMs?: number } & Because)
  /** Nobody knows whether it was taken: it is tried again only when a second one would not be too soon. */
  | ({ readonly answer: 'unclear' } & Because)

/** `superseded`: a newer push to the same device took its place. `skipped`: it was not to be sent any more. */
export type DeliveryState = 'waiting' | 'sent' | 'gone' | 'dead' | 'superseded' | 'skipped'

/**
 * $1 the delivery, $2 its attempt, $3 the new state, $4 the line of the trace, $5 when to try again, $6 up to which seq
 * it was sent, $7 the window, $8 the token that it was sent to. What joined it while it was under way comes as a push of
 * its own after the window. A device that has another token by now stays.
 */
const noteAnswer = `
WITH before AS MATERIALIZED (
  SELECT * FROM push_deliveries WHERE id = $1 AND attempt_count = $2 AND state = 'waiting' FOR UPDATE
), noted AS (
  UPDATE push_deliveries d
     SET state = $3, attempts = d.attempts || $4::jsonb, claimed_until = NULL, due_at = now() + $5::float8 * interval '1 millisecond',
         finished_at = CASE WHEN $3 <> 'waiting' THEN now() END,
         upto_seq = CASE WHEN $3 = 'sent' THEN $6::int8 ELSE d.upto_seq END
    FROM before b WHERE d.id = b.id
  RETURNING d.id
), next AS (
  INSERT INTO push_deliveries
         (id, user_id, conversation_id, device_id, provider, from_seq, upto_seq, message_at, state, due_at)
  SELECT gen_random_uuid(), b.user_id, b.conversation_id, b.device_id, b.provider, $6::int8 + 1, b.upto_seq,
         coalesce((SELECT created_at FROM messages WHERE conversation_id = b.conversation_id AND seq = $6::int8 + 1), now()),
         'waiting', now() + $7 * interval '1 millisecond'
    FROM noted n JOIN before b ON b.id = n.id
   WHERE $3 = 'sent' AND b.upto_seq > $6::int8
), dropped AS (
  DELETE FROM devices v USING noted n, before b
   WHERE $3 = 'gone' AND b.id = n.id AND v.id = b.device_id AND v.token_hash = $8
)
SELECT count(*)::int AS noted FROM noted`

/**
 * Notes the answer to an attempt.
 * @param random from 0 to 1: attempts that failed together must not come together again
 * @returns the state of the delivery, or undefined when it is somebody else's by now
 */
export async function answered(
  ctx: PushContext,
  delivery: Delivery,
  answer: Answer,
  random: number,
): Promise<DeliveryState | undefined> {
  const { pushCollapseMs } = ctx.settings
  const waitMs = waitAfter(ctx, delivery.attempt, answer, random)
  const state = stateAfter(answer, waitMs)
  const found = await ctx.pool.query<{ noted: number }>({
    name: 'push-answered',
    text: noteAnswer,
    values: [
      delivery.id,
      delivery.attempt,
      state,
      JSON.stringify([{ at: ctx.clock(), ...answer }]),
      waitMs ?? null,
      delivery.content.uptoSeq,
      pushCollapseMs,
      delivery.target.tokenHash,
    ],
  })
  return found.rows[0]!.noted === 1 ? state : undefined
}

/** How long until the next attempt; undefined when there is none. */
function waitAfter(ctx: PushContext, attempt: number, answer: Answer, random: number): number | undefined {
  const { pushAttemptsMax, pushRetryMs, pushCollapseMs } = ctx.settings
  if ((answer.answer !== 'later' && answer.answer !== 'unclear') || attempt >= pushAttemptsMax) return undefined
  const backOffMs = Math.min(pushRetryMs.first * 2 ** (attempt - 1), pushRetryMs.max) * (0.5 + random / 2)
  return answer.answer === 'unclear' ? pushCollapseMs + backOffMs : Math.max(backOffMs, answer.retryMs ?? 0)
}

function stateAfter(answer: Answer, waitMs: number | undefined): DeliveryState {
  if (waitMs !== undefined) return 'waiting'
  return answer.answer === 'sent' || answer.answer === 'gone' ? answer.answer : 'dead'
}
