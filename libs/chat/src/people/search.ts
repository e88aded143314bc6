/**
 * Finding people: by the beginning of their username or of words in their names, whatever the case and the accents; then,
 * where that finds few, with a slip of the keyboard; or by the exact address of somebody who lets themselves be found by it.
 *
 * What a search reads is bounded, however common the name: the usernames in the order of their index, and so many
 * candidates of the others, of which the best are shown. Few searches run at once, and each has a time of its own.
 */
import { randomUUID } from 'node:crypto'
import { lengthOf, limits, mended, Refusal, type User } from '@flotilla/protocol'
import pg, { type PoolClient } from 'pg'
import type { PeopleContext } from './context.ts'
import { visible } from '../privacy/visible.ts'
import { folded } from '../store/folded.ts'
import { transaction } from '../store/transaction.ts'
import { emailKey, isEmail } from '../text/email.ts'
import { fold, hasWordLetter } from '../text/fold.ts'
import { usernameKey } from '../users/user.ts'

const foundMax = 10
/** Of a name that thousands have, so many are looked at. */
const candidatesMax = 500
/**
 * What part of the searched text's trigrams must stand together in a name: `%>` takes it from the session. Of a beginning of
 * two letters two thirds do, of a longer one more. With a slip less: in a word of six letters, one is too many for 0.5.
 */
const similarityOfWords = 0.6
const similarityOfSlips = 0.4
/** In a shorter text each letter is too much of it to be a slip; and where letters are words, 田中 is no slip of 田口. */
const slipLengthMin = 4
/** A search is a convenience: it must not hold a connection as long as a message may. */
const searchMsMax = 1_000
const slipMsMax = 500
const timedOut = '57014'

const user = 'u.id, u.username, u.display_name AS "displayName", u.avatar'
/** Never oneself, never the erased, never somebody who has blocked one. */
const mayBeFound = `u.id <> $1 AND u.erased_at IS NULL
   AND NOT EXISTS (SELECT FROM blocks b WHERE b.user_id = u.id AND b.blocked_id = $1)`

/** Whoever types a username means the one that begins like it. $2 to $3 is all that does. */
export const usernamesStatement = `
SELECT ${user} FROM users u
 WHERE ${folded('u.username')} >= $2 AND ${folded('u.username')} < $3 AND ${mayBeFound}
 ORDER BY ${folded('u.username')} LIMIT $4`

/** $2 is the text as `search_text` has it. */
const best = (condition: string) => `
WITH u AS MATERIALIZED (
  SELECT u.* FROM users u WHERE ${condition} AND ${mayBeFound} LIMIT ${candidatesMax}
)
SELECT ${user} FROM u
 ORDER BY word_similarity($2, u.search_text) DESC, strpos(u.search_text, $2) > 0 DESC,
          length(u.search_text), ${folded('u.username')}
 LIMIT $3`

/**
 * $4 is the pattern of `wordsOf`. The index is asked by similarity, for of a pattern of two letters it knows nothing and is
 * read whole; so the pattern stands where the planner does not see that the index could take it.
 */
export const wordsStatement = best("u.search_text %> $2 AND u.search_text || '' ~ $4")
export const slipsStatement = best('u.search_text %> $2')

/** Words that begin so, one behind the other. */
export const wordsOf = (sought: string): string =>
  `(^|[^a-z0-9])${(sought.match(/[a-z0-9]+/g) ?? []).join('[^a-z0-9]+')}`

/** Behind everything that begins with a text. */
const last = '\u{10ffff}'

/**
 * @returns the best first
 * @throws Refusal field_invalid, rate_limited (another search of the caller is under way), overloaded, unavailable
 */
export async function search(ctx: PeopleContext, by: string, text: string): Promise<User[]> {
  const wanted = mended(text).trim()
  const { searchLengthMax } = limits
  if (lengthOf(wanted) > searchLengthMax) throw refuse(`maxLength ${searchLengthMax}`)
  if (isEmail(wanted)) return byAddress(ctx, by, wanted)
  const sought = fold(wanted)
  if (!/[a-z0-9]/.test(sought)) return []
  return ctx.searches.take(by, () => transaction(ctx, client => byName(client, by, wanted, sought)))
}

const refuse = (rule: string) => new Refusal('field_invalid', `q: invalid (${rule})`, { field: 'q', rule })

async function byName(client: PoolClient, by: string, wanted: string, sought: string): Promise<User[]> {
  const found = new Map<string, User>()
  const look = async (name: string, text: string, values: unknown[]) => {
    const { rows } = await client.query<User>({ name, text, values })
    for (const row of rows) if (found.size < foundMax) found.set(row.id, row)
  }
  await beginSearch(client)
  const key = usernameKey(wanted)
  await look('people-usernames', usernamesStatement, [by, key, key + last, foundMax])
  if (lengthOf(wanted) < limits.searchLengthMin && !hasWordLetter(wanted)) return [...found.values()]
  if (found.size < foundMax) await look('people-words', wordsStatement, [by, sought, foundMax, wordsOf(sought)])
  if (found.size < foundMax && lengthOf(wanted) >= slipLengthMin && !hasWordLetter(wanted)) {
    await expectSlips(client)
    // What was found without a slip stands, however long the rest would take.
    await look('people-slips', slipsStatement, [by, sought, foundMax]).catch((error: unknown) => {
      if (!(error instanceof pg.DatabaseError) || error.code !== timedOut) throw error
    })
  }
  return [...found.values()]
}

/** What holds for the one search of this transaction. However the text is written, the plan is the one that the test has seen. */
export async function beginSearch(client: PoolClient): Promise<void> {
  await client.query(
    `SET LOCAL pg_trgm.word_similarity_threshold = ${similarityOfWords}; SET LOCAL enable_seqscan = off; SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL statement_timeout = ${searchMsMax}`,
  )
}

async function expectSlips(client: PoolClient): Promise<void> {
  await client.query(
    `SET LOCAL pg_trgm.word_similarity_threshold = ${similarityOfSlips}; SET LOCAL statement_timeout = ${slipMsMax}`,
  )
}

/** The same questions whether somebody has the address or not: what they take must not tell of those who hide. */
async function byAddress(ctx: PeopleContext, by: string, address: string): Promise<User[]> {
  const found = await ctx.pool.query<User>({
    name: 'people-by-address',
    text: `SELECT ${user} FROM users u WHERE ${folded('u.email')} = $2 AND ${mayBeFound}`,
    values: [by, emailKey(address)],
  })
  const candidate = found.rows[0]?.id ?? randomUUID()
  const shown = await visible(ctx, by, [candidate], 'found_by_email')
  return found.rows.filter(row => shown.has(row.id))
}
