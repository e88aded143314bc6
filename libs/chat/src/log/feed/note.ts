/**
 * Notes of the feed: which entries a commit has written. Whoever writes entries leaves one in the same statement, while
 * it holds the conversations: then a place is drawn under the lock, by a transaction that has its number already.
 * consume.ts counts on both.
 */
import type { StoreContext } from '../../store/context.ts'

/**
 * A note covers what stands unnoted before it, up to so many entries: that heals what the version before has written.
 * Where more is missing nothing is noted, and the worker comes to it.
 */
export const unnotedMax = 100

/** What `fed_seq` becomes with one entry: it goes along where it is at the head, and else is for the next send to heal. */
export const fedAlong = 'fed_seq + CASE WHEN fed_seq = head_seq THEN 1 ELSE 0 END'

/** Entries of one conversation in one note of the worker's. */
const entriesAtOnce = 500
const conversationsAtOnce = 500

/** $1 where to begin. A note for each piece of what is missing, in order. Rows that are written to now come next time. */
const noteUnnoted = `
WITH looked AS MATERIALIZED (
  SELECT id, fed_seq < head_seq AS lacks FROM conversations WHERE id > $1 ORDER BY id LIMIT ${conversationsAtOnce}
), due AS MATERIALIZED (
  SELECT id, fed_seq, head_seq FROM conversations WHERE id IN (SELECT id FROM looked WHERE lacks) AND fed_seq < head_seq
     FOR NO KEY UPDATE SKIP LOCKED
), fed AS (
  UPDATE conversations c SET fed_seq = due.head_seq FROM due WHERE c.id = due.id
), noted AS (
  INSERT INTO feed_notes (entries, conversations, afters, counts)
  SELECT upto - after, ARRAY[id], ARRAY[after], ARRAY[(upto - after)::int]
    FROM (SELECT id, after, least(after + ${entriesAtOnce}, head_seq) AS upto
            FROM due, generate_series(fed_seq, head_seq - 1, ${entriesAtOnce}) after ORDER BY id, after) pieces
)
SELECT count(*)::int AS looked, (array_agg(id ORDER BY id DESC))[1] AS last FROM looked`

/** Notes what nobody has noted: the log as it was before there was a feed, and what the version before writes. */
export async function noteMissed(ctx: Pick<StoreContext, 'pool'>, signal?: AbortSignal): Promise<void> {
  const isEnded = () => signal?.aborted === true
  for (let last = '00000000-0000-0000-0000-000000000000'; !isEnded(); ) {
    const { rows } = await ctx.pool.query<{ looked: number; last: string | null }>({
      name: 'feed-note-missed',
      text: noteUnnoted,
      values: [last],
    })
    const [found] = rows
    if (found!.looked < conversationsAtOnce) return
    last = found!.last!
  }
}
