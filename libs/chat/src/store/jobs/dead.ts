/** Jobs that nobody tries any more, for operators. What a job holds stays sealed. */
import { type DeadJob, Refusal } from '@flotilla/protocol'
import type { StoreContext } from '../context.ts'
import { behind, decodePlace, type PageOf, pageMax, type PageWanted, placeOf, toPage } from '../paging.ts'
import type { JobKind } from './job.ts'

interface Row {
  id: string
  kind: JobKind
  created_at: Date
  dead_at: Date
  attempt_count: number
  error: string | null
  place: number
}

/** The latest first. @throws Refusal field_invalid when `after` is none of ours */
export async function listDead(ctx: StoreContext, page: PageWanted): Promise<PageOf<'jobs', DeadJob>> {
  const limit = Math.min(page.limit, pageMax)
  const after = page.after === undefined ? undefined : decodePlace(page.after)
  const { rows } = await ctx.pool.query<Row>(
    `SELECT id, kind, created_at, dead_at, attempt_count, error, ${placeOf('dead_at')} AS place FROM jobs
      WHERE dead_at IS NOT NULL ${after === undefined ? '' : `AND ${behind('dead_at', '$2', '$3')}`}
      ORDER BY dead_at DESC, id DESC LIMIT $1`,
    [limit + 1, ...(after === undefined ? [] : [after.at, after.id])],
  )
  return toPage('jobs', rows, limit, row => ({
    id: row.id,
    kind: row.kind,
    createdAt: row.created_at.getTime(),
    diedAt: row.dead_at.getTime(),
    attempts: row.attempt_count,
    error: row.error ?? '',
  }))
}

/** Tries a dead job once more, with all its attempts. @throws Refusal job_unknown */
export async function retry(ctx: StoreContext, id: string): Promise<void> {
  const found = await ctx.pool.query(
    'UPDATE jobs SET dead_at = NULL, due_at = now(), attempt_count = 0 WHERE id = $1 AND dead_at IS NOT NULL',
    [id],
  )
  if (found.rowCount === 0) throw new Refusal('job_unknown')
}
