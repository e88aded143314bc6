/** What the worker owes: scheduled messages, what has had its time, totals that nobody was told of. */
import type { Violation } from '../history-checker.ts'
import type { HistoryRecord } from '../history.ts'
import type { StoreDump } from '../store-dump.ts'
import { until } from '../until.ts'
import type { ComposedStage } from './composed-stage.ts'

const doneMsMax = 60_000

/** What the worker has not done. Polls are told by jobs. */
const queries = {
  'scheduled messages': 'SELECT FROM scheduled_messages WHERE attempt_at IS NOT NULL',
  jobs: 'SELECT FROM jobs WHERE dead_at IS NULL',
  'reactions that nobody was told of': 'SELECT FROM reaction_counts WHERE untold',
  // Others have timers that are longer than a run.
  'messages that expire soon': `SELECT FROM expiring_messages WHERE expires_at BETWEEN now() AND now() + interval '1 minute'`,
  'messages that have expired': 'SELECT FROM expiring_messages WHERE expires_at <= now()',
}
type Work = keyof typeof queries

/** Nobody waits for the leases of workers that died, nor for the next attempt at what a fault had refused. */
const hurry = `
  WITH hurried AS (UPDATE jobs SET due_at = now() WHERE dead_at IS NULL AND due_at > now())
  UPDATE scheduled_messages SET attempt_at = now() WHERE attempt_at > now() AND due_at <= now()`

/** Waits until the worker has done what is due. @returns what it has left undone */
export async function finishDueWork({ pool, worker }: ComposedStage): Promise<Violation[]> {
  const left = async (work: Work) => (await pool.query(queries[work])).rowCount ?? 0
  const untilDone = async (...works: Work[]) => {
    for (const work of works)
      await until(
        async () => {
          await pool.query(hurry)
          return (await left(work)) === 0
        },
        { what: `the worker has done its ${work}`, withinMs: doneMsMax, everyMs: 500 },
      )
  }
  try {
    await untilDone('scheduled messages', 'jobs', 'reactions that nobody was told of', 'messages that expire soon')
    // As in a roll-out: a new one looks at once, and not when its minute is over.
    await worker.stop()
    await worker.start()
    await untilDone('messages that have expired')
    return []
  } catch (error) {
    return [{ promise: 'P1', what: String(error) }]
  }
}

/** The scheduled messages whose senders were told that they could not be sent. */
export async function readUnsent({ pool }: ComposedStage): Promise<ReadonlySet<string>> {
  const { rows } = await pool.query<{ id: string }>(
    `SELECT detail->>'scheduled' AS id FROM notifications WHERE kind = 'scheduled_failed'`,
  )
  return new Set(rows.map(row => row.id))
}

/**
 * P1 and P2: what was taken is sent once, or its sender is told that it was not; what was cancelled is not sent. P3: those of
 * one sender in one conversation are sent in the order of their times.
 */
export function checkScheduled(
  records: readonly HistoryRecord[],
  dump: Pick<StoreDump, 'entries'>,
  unsent: ReadonlySet<string>,
): Violation[] {
  const violations: Violation[] = []
  const rows = new Map(dump.entries.map(one => [`${one.conversation} ${one.sender} ${one.clientId}`, one.seq]))
  const cancelled = new Set(records.flatMap(one => (one.kind === 'cancelled' ? [one.clientId] : [])))
  const taken = records.filter(one => one.kind === 'scheduled')
  for (const [lane, ofLane] of Map.groupBy(taken, one => `${one.conversation} ${one.user}`)) {
    let before = 0
    for (const one of ofLane.toSorted((a, b) => a.dueMs - b.dueMs || (a.clientId < b.clientId ? -1 : 1))) {
      const { clientId } = one
      const seq = rows.get(`${lane} ${clientId}`)
      const what = `scheduled message ${clientId} of ${one.user} in ${one.conversation}`
      const isUnsent = unsent.has(clientId)
      if (cancelled.has(clientId)) {
        if (seq !== undefined) violations.push({ promise: 'P1', what: `${what} was cancelled and sent at seq ${seq}` })
        continue
      }
      if (seq === undefined && !isUnsent)
        violations.push({ promise: 'P1', what: `${what} was neither sent nor was its sender told that it was not` })
      if (seq !== undefined && isUnsent)
        violations.push({ promise: 'P2', what: `${what} was sent, and its sender told that it was not` })
      if (seq === undefined) continue
      if (seq < before) violations.push({ promise: 'P3', what: `${what} was sent at seq ${seq}, after ${before}` })
      // What was taken only when it was due already may come after later ones.
      if (one.answeredMs <= one.dueMs) before = Math.max(before, seq)
    }
  }
  return violations
}
