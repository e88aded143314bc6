/**
 * Ids that every process of a run works out by itself: the database in SQL, the load here. They are hashes, so that
 * they are spread over pages and partitions like random ones.
 */
import { createHash } from 'node:crypto'

export type IdKind = 'user' | 'session' | 'direct' | 'group'

/** The id of the nth of a kind. In SQL: `md5('user-0')::uuid`. */
export function idOf(kind: IdKind, number: number): string {
  const hex = createHash('md5').update(`${kind}-${number}`).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
