import { randomUUID } from 'node:crypto'
import type { StoreContext } from '../context.ts'
import type { Job } from './job.ts'

/**
 * Leaves work for the worker. At least once: a job whose worker dies is taken by another.
 * @param client of the transaction that the job belongs to; without one it stands by itself
 * @param dueAt not before; milliseconds since 1970
 */
export async function add(
  ctx: StoreContext,
  job: Job,
  client: { query(text: string, values: unknown[]): Promise<unknown> } = ctx.pool,
  dueAt?: number,
): Promise<void> {
  const id = randomUUID()
  const { kind, ...payload } = job
  const { keyId, body } = ctx.seal.seal(`job ${id}`, JSON.stringify(payload))
  await client.query(
    `INSERT INTO jobs (id, kind, key_id, body, due_at)
     VALUES ($1, $2, $3, $4, coalesce(to_timestamp($5::float8 / 1000), now()))`,
    [id, kind, keyId, body, dueAt ?? null],
  )
}
