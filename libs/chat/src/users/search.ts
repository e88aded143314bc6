/**
 * Finding people: by any part of their names, whatever its case and its accents and with a slip of the keyboard, or by
 * the exact address of somebody who lets themselves be found by it.
 */
import { randomUUID } from 'node:crypto'
import { lengthOf, limits, mended, Refusal } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import type { ChatContext } from '../context.ts'
import { visible } from '../privacy/visible.ts'
import { folded } from '../store/folded.ts'
import { transaction } from '../store/transaction.ts'
import { emailKey, isEmail } from './email.ts'
import { fold, hasWordLetter } from './fold.ts'
import { type User, usernameKey } from './user.ts'

const foundMax = 10
/**
 * What part of the searched text's trigrams must stand together in a name. Lower than PostgreSQL's 0.6, at which one
 * slip in a word of six letters is one too many; but not where each letter is a word: 田中 is no slip of 田口.
 */
const similarityMin = 0.4
const similarityOfWordsMin = 0.6
/** A search is a convenience: it must not hold a connection as long as a message may. */
const searchMsMax = 2_000

const user = 'u.id, u.username, u.display_name AS "displayName", u.avatar'
/** Never oneself, never the erased, never somebody who has blocked one. */
const mayBeFound = `u.id <> $1 AND u.erased_at IS NULL
   AND NOT EXISTS (SELECT FROM blocks b WHERE b.user_id = u.id AND b.blocked_id = $1)`

/**
 * `%>` takes its threshold from the session. Whoever types a username means the one that begins like it; of letters that
 * are words, trigrams do not know the order.
 */
export const searchStatement = `
SELECT ${user} FROM users u
 WHERE u.search_text %> $2 AND ${mayBeFound}
 ORDER BY left(${folded('u.username')}, length($3)) = $3 DESC, word_similarity($2, u.search_text) DESC,
          strpos(u.search_text, $2) > 0 DESC,
          length(u.search_text), ${folded('u.username')}
 LIMIT $4`

/**
 * @returns the best first
 * @throws Refusal field_invalid, unavailable
 */
export async function search(ctx: ChatContext, by: string, text: string): Promise<User[]> {
  const wanted = mended(text).trim()
  const { searchLengthMin, searchLengthMax } = limits
  const length = lengthOf(wanted)
  if (length < searchLengthMin && !hasWordLetter(wanted)) throw refuse(`minLength ${searchLengthMin}`)
  if (length > searchLengthMax) throw refuse(`maxLength ${searchLengthMax}`)
  if (isEmail(wanted)) return byAddress(ctx, by, wanted)
  const sought = fold(wanted)
  if (sought === '') return []
  return transaction(ctx, async client => {
    await beginSearch(client, hasWordLetter(wanted) ? similarityOfWordsMin : similarityMin)
    const values = [by, sought, usernameKey(wanted), foundMax]
    const found = await client.query<User>({ name: 'people-search', text: searchStatement, values })
    return found.rows
  })
}

const refuse = (rule: string) => new Refusal('field_invalid', `q: must keep to ${rule}`, { field: 'q', rule })

/** What holds for the one search of this transaction. */
export async function beginSearch(client: PoolClient, similarity = similarityMin): Promise<void> {
  await client.query(
    `SET LOCAL pg_trgm.word_similarity_threshold = ${similarity}; SET LOCAL statement_timeout = ${searchMsMax}`,
  )
}

/** The same questions whether somebody has the address or not: what they take must not tell of those who hide. */
async function byAddress(ctx: ChatContext, by: string, address: string): Promise<User[]> {
  const found = await ctx.pool.query<User>({
    name: 'people-by-address',
    text: `SELECT ${user} FROM users u WHERE ${folded('u.email')} = $2 AND ${mayBeFound}`,
    values: [by, emailKey(address)],
  })
  const candidate = found.rows[0]?.id ?? randomUUID()
  const shown = await visible(ctx, by, [candidate], 'found_by_email')
  return found.rows.filter(row => shown.has(row.id))
}
