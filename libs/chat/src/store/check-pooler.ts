/** What stands in front of PostgreSQL must keep prepared statements apart; one that does not is found out at the start. */
import pg from 'pg'
import { openClient } from './store-client.ts'

/** A statement that is not there, and one that is there already: somebody else's. */
const astray = new Set(['26000', '42P05'])

/**
 * Prepares a statement, has another session take that connection of the pooler, and asks for the statement on the next.
 * @throws Error with the rule
 */
export async function checkPooler(url: string): Promise<void> {
  const first = await openClient(url, 'flotilla-check')
  const second = await openClient(url, 'flotilla-check').catch(async (error: unknown) => {
    await first.end()
    throw error
  })
  const statement = { name: 'check-pooler', text: 'SELECT $1::int', values: [1] }
  try {
    await first.query(statement)
    await second.query('BEGIN')
    await first.query(statement)
    await second.query('COMMIT')
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || !astray.has(error.code ?? '')) throw error
    throw new Error(
      'unable to start: the pooler in front of PostgreSQL loses prepared statements. It must be PgBouncer 1.21 or newer with max_prepared_statements above 0, or pool by session',
      { cause: error },
    )
  } finally {
    await Promise.all([first.end(), second.end()])
  }
}
