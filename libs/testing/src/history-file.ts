/**
 * A history on disk, a line of JSON a record: thousands of people who talk for minutes leave more than a process that
 * measures should hold. Of receipts, nearly all of which only say that a cursor has risen, a line is written when one
 * falls and at the end; that is all that the checker looks at.
 */
import { createReadStream, createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { HistoryRecord } from './history.ts'

export interface HistoryFile {
  /** For `new History(file.take)`. */
  readonly take: (record: HistoryRecord) => void
  /** Writes what is left. What comes later does not belong to this history. */
  close(): Promise<void>
}

type Receipt = Extract<HistoryRecord, { kind: 'receipt' }>

const keyOf = ({ device, conversation, user, type }: Receipt) => `${device} ${conversation} ${user} ${type}`

export function writeHistory(path: string): HistoryFile {
  const file = createWriteStream(path)
  /** By device, conversation, person and kind: the highest so far. */
  const receipts = new Map<string, Receipt>()
  let closed = false
  const write = (record: HistoryRecord) => void file.write(`${JSON.stringify(record)}\n`)
  return {
    take(record) {
      if (closed) return
      const before = record.kind === 'receipt' ? receipts.get(keyOf(record)) : undefined
      if (record.kind !== 'receipt') write(record)
      else if (before === undefined || record.seq >= before.seq) receipts.set(keyOf(record), record)
      else {
        write(before)
        write(record)
      }
    },
    async close() {
      if (closed) return
      closed = true
      for (const receipt of receipts.values()) write(receipt)
      receipts.clear()
      await new Promise<void>((resolve, reject) => {
        file.once('error', reject)
        file.end(() => resolve())
      })
    },
  }
}

/** Reads a history back. Names that stand in thousands of lines are held once. */
export async function readHistory(path: string): Promise<HistoryRecord[]> {
  const names = new Map<string, string>()
  const once = (name: string) => {
    const known = names.get(name)
    if (known === undefined) names.set(name, name)
    return known ?? name
  }
  const shared = new Set(['device', 'user', 'conversation', 'kind', 'event', 'type'])
  const records: HistoryRecord[] = []
  for await (const line of createInterface({ input: createReadStream(path) }))
    records.push(
      JSON.parse(line, (key, value: unknown) =>
        typeof value === 'string' && shared.has(key) ? once(value) : value,
      ) as HistoryRecord,
    )
  return records
}
