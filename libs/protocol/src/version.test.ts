import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { closeCodes } from './close-codes.ts'
import { down } from './down.ts'
import { errors } from './errors.ts'
import { up } from './up.ts'
import { wireHash } from './version.ts'

/** Everything that a peer can observe, without the sentences that explain it. */
function wire(): string {
  // A field may bear such a name too; then it is a schema, and no sentence.
  const withoutWords = (key: string, value: unknown) =>
    (key === 'description' || key === 'meaning') && typeof value === 'string' ? undefined : value
  return JSON.stringify({ up, down, errors, closeCodes }, withoutWords)
}

test('the wire has not changed without its hash, and so not without a look at its version', () => {
  expect(createHash('sha256').update(wire()).digest('hex').slice(0, 16)).toBe(wireHash)
})
