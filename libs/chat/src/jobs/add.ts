import { randomUUID } from 'node:crypto'
import type { ChatContext } from '../context.ts'
import type { Job } from './job.ts'

/**
 * Leaves work for the worker. At least once: a job whose worker dies is taken by another.
 * @param client of the transaction that the job belongs to; without one it stands by itself
 */
export async function add(
  ctx: ChatContext,
  job: Job,
  client: { query(text: string, values: unknown[]): Promise<unknown> } = ctx.pool,
): Promise<void> {
  const id = randomUUID()
  const { kind, ...payload } = job
  const { keyId, body } = ctx.seal.seal(`job ${id}`, JSON.stringify(payload))
  await client.query('INSERT INTO jobs (id, kind, key_id, body) VALUES ($1, $2, $3, $4)', [id, kind, keyId, body])
}
