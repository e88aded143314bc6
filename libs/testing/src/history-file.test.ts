import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkHistory } from './history-checker.ts'
import { readHistory, writeHistory } from './history-file.ts'
import type { HistoryRecord } from './history.ts'
import { playWorld, stepLists } from './history-model.ts'
import { dropFolder, makeFolder } from './reaper.ts'

let folder: string
beforeAll(() => {
  folder = makeFolder('history')
})
afterAll(() => dropFolder(folder))

async function throughFile(records: readonly HistoryRecord[]): Promise<HistoryRecord[]> {
  const path = join(folder, 'history')
  const file = writeHistory(path)
  for (const record of records) file.take(record)
  await file.close()
  return readHistory(path)
}

test('a history that went through a file says the same, with fewer receipts', async () => {
  await fc.assert(
    fc.asyncProperty(stepLists, async steps => {
      const { history, dump } = playWorld(steps)
      const read = await throughFile(history.records)
      const others = (records: readonly HistoryRecord[]) => records.filter(one => one.kind !== 'receipt')
      expect(others(read)).toEqual(JSON.parse(JSON.stringify(others(history.records))))
      expect(read.length).toBeLessThanOrEqual(history.records.length)
      expect(checkHistory(read, dump)).toEqual([])
    }),
    { numRuns: 20 },
  )
})

test('a receipt that fell, or passed the head, is still found', async () => {
  const { history, dump } = playWorld([])
  const receipts = history.records.filter(one => one.kind === 'receipt')
  const high = receipts.toSorted((a, b) => b.seq - a.seq)[0]!
  const judge = async (...more: HistoryRecord[]) =>
    checkHistory(await throughFile([...history.records, ...more]), dump).map(one => one.promise)
  expect(await judge({ ...high, seq: high.seq - 1 })).toEqual(['P7'])
  expect(await judge({ ...high, seq: high.seq - 1 }, high)).toEqual(['P7'])
  expect(await judge({ ...high, seq: 1_000 })).toContain('P7')
})
