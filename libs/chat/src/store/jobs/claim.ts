/**
 * Claims and their ends. A claim is a lease: whoever dies with a job in hand gives it back by doing nothing. Two workers
 * never wait for each other (SKIP LOCKED), and who comes back after the lease has no say about the job any more.
 */
import { cutText, mended } from '@flotilla/protocol'
import type { StoreContext } from '../context.ts'
import { asRefusal } from '../failures.ts'
import type { Job, JobKind } from './job.ts'

export interface ClaimedJob {
  readonly id: string
  readonly job: Job
  /** With this one. */
  readonly attempt: number
  /** Since it was added. */
  readonly ageMs: number
}

interface Row {
  id: string
  kind: JobKind
  key_id: number
  body: Buffer
  attempt_count: number
  age_ms: number
}

/**
 * Takes jobs that are due, the longest due first, and keeps others from them for `leaseMs`. One that cannot be opened is
 * dead at once, and keeps nobody from the others.
 */
export async function claim(
  ctx: StoreContext,
  options: { readonly max: number; readonly leaseMs: number },
): Promise<ClaimedJob[]> {
  const found = await ctx.pool.query<Row>({
    name: 'jobs-claim',
    text: `
WITH due AS MATERIALIZED (
  SELECT id FROM jobs WHERE dead_at IS NULL AND due_at <= now() ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED
)
UPDATE jobs j SET attempt_count = attempt_count + 1, due_at = now() + $2 * interval '1 millisecond'
  FROM due WHERE j.id = due.id
RETURNING j.id, kind, key_id, body, attempt_count, (extract(epoch FROM now() - created_at) * 1000)::float8 AS age_ms`,
    values: [options.max, options.leaseMs],
  })
  const claimed: ClaimedJob[] = []
  for (const row of found.rows) {
    const { id, attempt_count: attempt, age_ms: ageMs } = row
    const job = await open(ctx, row)
    if (job !== undefined) claimed.push({ id, job, attempt, ageMs })
    else await fail(ctx, { id, attempt }, `unable to open a job: its key is not configured or its body is broken`)
  }
  return claimed
}

async function open(ctx: StoreContext, row: Row): Promise<Job | undefined> {
  try {
    await ctx.seal.ready([row.key_id])
    return { kind: row.kind, ...JSON.parse(ctx.seal.open(`job ${row.id}`, row.key_id, row.body)) } as Job
  } catch (error) {
    // A store that is away is no fault of the job: it comes again after the lease.
    if (asRefusal(error) !== undefined) throw error
    ctx.logger.error({ err: error, job: row.id, kind: row.kind }, 'unable to open a job')
    return undefined
  }
}

type Held = Pick<ClaimedJob, 'id' | 'attempt'>

/** The job is done and forgotten: what it held may have been secret. */
export async function done(ctx: StoreContext, { id, attempt }: Held): Promise<void> {
  await ctx.pool.query('DELETE FROM jobs WHERE id = $1 AND attempt_count = $2', [id, attempt])
}

/**
 * The job failed. It comes back after `retryMs`, or, without that, never: then it lies dead until somebody looks.
 * @param error without anything that the job keeps secret
 */
export async function fail(ctx: StoreContext, { id, attempt }: Held, error: string, retryMs?: number): Promise<void> {
  await ctx.pool.query(
    `UPDATE jobs SET error = $3, due_at = now() + coalesce($4::float8, 0) * interval '1 millisecond',
            dead_at = CASE WHEN $4::float8 IS NULL THEN now() END WHERE id = $1 AND attempt_count = $2`,
    [id, attempt, cutText(mended(error), { graphemesMax: errorLengthMax }), retryMs ?? null],
  )
}

const errorLengthMax = 500
