/**
 * Writes anew what a version before has folded in another way: the text that people are found by, and addresses of which
 * it kept the spelling as typed. Rows that carry the mark of today's folding are not looked at, so that this costs
 * nothing once it is done; what old processes write while a roll-out is half done is found the next time.
 */
import type { UsersContext } from './context.ts'
import { uniqueViolation } from '../store/failures.ts'
import { checkEmail, isEmail } from '../text/email.ts'
import { searchText } from '../text/fold.ts'

const rowsAtOnce = 500

/** By the index that 0004-text.sql makes for it. */
const findOld = `
SELECT id, username, display_name, email FROM users
 WHERE search_text <> '' AND search_text NOT LIKE '~%' AND ($1::uuid IS NULL OR id > $1)
 ORDER BY id LIMIT ${rowsAtOnce}`

/** Whoever is renamed meanwhile is folded by that. */
const writeTexts = `
UPDATE users u SET search_text = g.text
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) g (id, username, display_name, text)
 WHERE u.id = g.id AND u.username = g.username AND u.display_name = g.display_name`

interface Row {
  id: string
  username: string
  display_name: string
  email: string | null
}

export async function refold(ctx: UsersContext, signal?: AbortSignal): Promise<void> {
  const isEnded = () => signal?.aborted === true
  for (let last: string | undefined; !isEnded(); ) {
    const { rows } = await ctx.pool.query<Row>(findOld, [last ?? null])
    // The addresses first: a row without the mark is looked at again.
    for (const row of rows) await respell(ctx, row)
    await ctx.pool.query(writeTexts, [
      rows.map(row => row.id),
      rows.map(row => row.username),
      rows.map(row => row.display_name),
      rows.map(row => searchText(row.username, row.display_name)),
    ])
    if (rows.length < rowsAtOnce) return
    last = rows.at(-1)!.id
  }
}

async function respell(ctx: UsersContext, { id, email }: Row): Promise<void> {
  if (email === null || !isEmail(email) || checkEmail(email) === email) return
  try {
    await ctx.pool.query('UPDATE users SET email = $2 WHERE id = $1 AND email = $3', [id, checkEmail(email), email])
  } catch (error) {
    if (uniqueViolation(error) === undefined) throw error
    // Two accounts have verified one address in two spellings. Which of them it is for, only an operator can find out.
    ctx.logger.warn({ user: id }, 'two accounts share an address; remove it from one')
  }
}
