/** The figures of a worker. */
import { type ChatContext, jobs, push } from '@flotilla/chat'
import { Counter, Gauge, Histogram, type Registry } from '@flotilla/service'

export interface WorkerMetrics {
  job(kind: string, outcome: 'done' | 'failed' | 'dead'): void
  push(provider: push.Provider, outcome: push.Answer['answer'] | 'skipped' | 'dead'): void
  /** A push was taken so long after its first message was written. */
  pushed(provider: push.Provider, seconds: number): void
  cleaned(table: string, rows: number): void
}

/** What a person waits for, and what a service that was away makes them wait. */
const pushBucketsSeconds = [0.5, 1, 2, 3, 5, 10, 20, 30, 60, 120, 300, 900, 3_600]

export function createWorkerMetrics(registry: Registry): WorkerMetrics {
  const registers = [registry]
  const jobsDone = new Counter({
    name: 'flotilla_jobs_total',
    help: 'Attempts at jobs, by kind and outcome',
    labelNames: ['kind', 'outcome'],
    registers,
  })
  const pushes = new Counter({
    name: 'flotilla_pushes_total',
    help: 'Attempts to push, by provider and answer; skipped: it was not to be sent any more',
    labelNames: ['provider', 'outcome'],
    registers,
  })
  const latency = new Histogram({
    name: 'flotilla_push_seconds',
    help: 'From a message to the answer of the service that took the push about it',
    labelNames: ['provider'],
    buckets: pushBucketsSeconds,
    registers,
  })
  const cleaned = new Counter({
    name: 'flotilla_upkeep_rows_total',
    help: 'Rows that had had their time and were deleted, by table',
    labelNames: ['table'],
    registers,
  })
  return {
    job: (kind, outcome) => jobsDone.inc({ kind, outcome }),
    push: (provider, outcome) => pushes.inc({ provider, outcome }),
    pushed: (provider, seconds) => latency.observe({ provider }, Math.max(0, seconds)),
    cleaned: (table, rows) => cleaned.inc({ table }, rows),
  }
}

/** What waits in the store, asked for when Prometheus asks. A store that is away leaves the figures as they were. */
export function measureQueues(
  registry: Registry,
  chat: ChatContext,
  readings: { readonly inFlight: () => number; readonly paused: () => number },
): void {
  const made = (name: string, help: string, labelNames: string[], collect: (gauge: Gauge) => Promise<void> | void) => {
    const gauge: Gauge = new Gauge({ name, help, labelNames, collect: () => collect(gauge), registers: [] })
    registry.registerMetric(gauge)
    return gauge
  }
  const jobsDead = made('flotilla_jobs_dead', 'Jobs that nobody tries any more', [], () => {})
  const jobsLate = made('flotilla_jobs_late_seconds', 'How late the job is that has been due for longest', [], () => {})
  made('flotilla_jobs_waiting', 'Jobs that wait or are under way, by kind', ['kind'], async gauge => {
    const figures = await jobs.figures(chat).catch(() => undefined)
    if (figures === undefined) return
    gauge.reset()
    for (const [kind, waiting] of Object.entries(figures.waiting)) gauge.set({ kind }, waiting)
    jobsDead.set(figures.dead)
    jobsLate.set(figures.lateMs / 1000)
  })
  const pushesLate = made(
    'flotilla_pushes_late_seconds',
    'How late the push is that has been due for longest',
    [],
    () => {},
  )
  made('flotilla_pushes_waiting', 'Pushes that wait for an answer, by provider', ['provider'], async gauge => {
    const figures = await push.figures(chat).catch(() => undefined)
    if (figures === undefined) return
    gauge.reset()
    for (const [provider, waiting] of Object.entries(figures.waiting)) gauge.set({ provider }, waiting)
    pushesLate.set(figures.lateMs / 1000)
  })
  made('flotilla_pushes_in_flight', 'Pushes that this worker has sent and waits for', [], gauge =>
    gauge.set(readings.inFlight()),
  )
  made('flotilla_push_services_paused', 'Push services that this worker leaves alone for the moment', [], gauge =>
    gauge.set(readings.paused()),
  )
}
