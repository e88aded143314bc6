/**
 * Finding people: by any part of their names, whatever its case and its accents and with a slip of the keyboard, or by
 * the exact address of somebody who lets themselves be found by it.
 */
import { randomUUID } from 'node:crypto'
import { limits, Refusal } from '@flotilla/protocol'
import type { PoolClient } from 'pg'
import type { ChatContext } from '../context.ts'
import { visible } from '../privacy/visible.ts'
import { transaction } from '../store/transaction.ts'
import { isEmail } from './email.ts'
import { fold } from './fold.ts'
import type { User } from './user.ts'

const foundMax = 10
/**
 * What part of the searched text's trigrams must stand together in a name. Lower than PostgreSQL's 0.6, at which one
 * slip in a word of six letters is one too many.
 */
const similarityMin = 0.4
/** A search is a convenience: it must not hold a connection as long as a message may. */
const searchMsMax = 2_000

const user = 'u.id, u.username, u.display_name AS "displayName", u.avatar'
/** Never oneself, never the erased, never somebody who has blocked one. */
const mayBeFound = `u.id <> $1 AND u.erased_at IS NULL
   AND NOT EXISTS (SELECT FROM blocks b WHERE b.user_id = u.id AND b.blocked_id = $1)`

/** `%>` takes its threshold from the session. Whoever types a username means the one that begins like it. */
export const searchStatement = `
SELECT ${user} FROM users u
 WHERE u.search_text %> $2 AND ${mayBeFound}
 ORDER BY left(lower(u.username), length($3)) = $3 DESC, word_similarity($2, u.search_text) DESC,
          length(u.search_text), lower(u.username)
 LIMIT $4`

/**
 * @returns the best first
 * @throws Refusal field_invalid, unavailable
 */
export async function search(ctx: ChatContext, by: string, text: string): Promise<User[]> {
  // PostgreSQL takes no U+0000.
  const wanted = text
    .toWellFormed()
    .replaceAll(/\p{Cc}/gu, ' ')
    .trim()
  const { searchLengthMin, searchLengthMax } = limits
  if (wanted.length < searchLengthMin) throw refuse(`minLength ${searchLengthMin}`)
  if (wanted.length > searchLengthMax) throw refuse(`maxLength ${searchLengthMax}`)
  if (isEmail(wanted)) return byAddress(ctx, by, wanted)
  const folded = fold(wanted)
  if (folded === '') return []
  return transaction(ctx, async client => {
    await beginSearch(client)
    const values = [by, folded, wanted.toLowerCase(), foundMax]
    const found = await client.query<User>({ name: 'people-search', text: searchStatement, values })
    return found.rows
  })
}

const refuse = (rule: string) => new Refusal('field_invalid', `q: must keep to ${rule}`, { field: 'q', rule })

/** What holds for the one search of this transaction. */
export async function beginSearch(client: PoolClient): Promise<void> {
  await client.query(
    `SET LOCAL pg_trgm.word_similarity_threshold = ${similarityMin}; SET LOCAL statement_timeout = ${searchMsMax}`,
  )
}

/** The same questions whether somebody has the address or not: what they take must not tell of those who hide. */
async function byAddress(ctx: ChatContext, by: string, address: string): Promise<User[]> {
  const found = await ctx.pool.query<User>({
    name: 'people-by-address',
    text: `SELECT ${user} FROM users u WHERE lower(u.email) = lower($2) AND ${mayBeFound}`,
    values: [by, address],
  })
  const candidate = found.rows[0]?.id ?? randomUUID()
  const shown = await visible(ctx, by, [candidate], 'found_by_email')
  return found.rows.filter(row => shown.has(row.id))
}
