import { afterEach, expect, test, vi } from 'vitest'
import { randomUuid } from './uuid.ts'

afterEach(() => void vi.unstubAllGlobals())

test('ids are random UUIDs, also on a page of plain http, where there is nothing but random numbers', () => {
  const { getRandomValues } = crypto
  vi.stubGlobal('crypto', { getRandomValues: getRandomValues.bind(crypto) })
  const ids = Array.from({ length: 1_000 }, randomUuid)
  for (const id of ids) expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
  expect(new Set(ids).size).toBe(ids.length)
})
