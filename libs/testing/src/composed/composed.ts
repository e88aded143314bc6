/**
 * One composed run: people live through the faults of a seed; then everything is mended, must come to rest, and is judged
 * by the whole history and the store. The faults follow from the seed; how they meet with the work does not.
 */
import { randomUUID } from 'node:crypto'
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { toEntries } from '@flotilla/chat'
import { settle } from '../crowd.ts'
import { History } from '../history.ts'
import { checkHistory, type Violation } from '../history-checker.ts'
import { checkLive } from '../live-checker.ts'
import { steadyMs } from '../live-history.ts'
import type { OldVersion } from '../old-version.ts'
import { projectRoot } from '../fleet.ts'
import { connectSocket } from '../socket-client.ts'
import { clocksMissing } from '../stepped-clock.ts'
import { dumpStore } from '../store-dump.ts'
import { type ComposedStage, setComposedStage } from './composed-stage.ts'
import { createDice } from './dice.ts'
import { findDivergence } from './divergence.ts'
import { checkScheduled, finishDueWork, readUnsent } from './due-work.ts'
import { meetFaults } from './nemesis.ts'
import { type PlannedFault, planFaults } from './plan.ts'
import { createSocketRecorder } from './recorded-sockets.ts'
import { gatherTroupe, type Troupe } from './troupe.ts'

export interface ComposedOptions {
  readonly seed: number
  readonly seconds: number
  /** The version that runs beside this one now and then; without it those faults are left out. */
  readonly former?: OldVersion | undefined
  /** A folder that gets the report, the history and the logs when something is wrong. */
  readonly keepIn?: string
  say?(line: string): void
}

export interface ComposedReport {
  readonly seed: number
  readonly seconds: number
  readonly faults: readonly PlannedFault[]
  readonly violations: readonly Violation[]
  /** What was done and delivered. */
  readonly counts: Readonly<Record<string, number>>
  /** From the last fault until everybody had everything. */
  readonly settledMs: number
}

const settleMsMax = 60_000
/** After the last fault; then everything is delivered live again (P6). */
const healMs = 10_000
const lagSampleMs = 50
const lagMs = 250

/** @throws Error when the run itself failed, so that nothing can be said */
export async function runComposed(options: ComposedOptions): Promise<ComposedReport> {
  const { seed, seconds, say = () => {} } = options
  const faults = planFaults(seed, seconds)
  const history = new History()
  const missing = clocksMissing()
  if (missing !== undefined) say(`skipped: clocks that are set: ${missing}`)
  const stepped = faults.flatMap(fault => (fault.kind === 'clock-stepped' ? [fault.process] : []))
  const stage = await setComposedStage(new Set(missing === undefined ? stepped : []))
  const sockets = createSocketRecorder(
    history,
    url => stage.fleet.nodes.find(node => url.startsWith(node.url))?.id ?? 'unknown',
  )
  const endLag = watchLag(history)
  let troupe: Troupe | undefined
  try {
    troupe = await gatherTroupe({ stage, history, sockets, dice: createDice(seed + 1) })
    troupe.start()
    const root = projectRoot()
    await meetFaults(faults, { stage, history, sockets, root, formerRoot: options.former?.root, say })
    const healedAt = steadyMs() + healMs
    await troupe.pause()
    const violations: Violation[] = []
    const settledMs = await comeToRest(troupe).catch((error: unknown) => {
      violations.push({ promise: 'P6', what: String(error) })
      return settleMsMax
    })
    await pause(Math.max(0, healedAt - steadyMs()))
    violations.push(...(await probe(stage, troupe, history)))
    violations.push(...(await finishDueWork(stage)))
    await comeToRest(troupe).catch((error: unknown) => violations.push({ promise: 'P6', what: String(error) }))
    const diverged = await findDivergence(stage, sockets, troupe.people)
    violations.push(...diverged.map(what => ({ promise: 'P3' as const, what })))
    sockets.close()
    violations.push(...(await judge(stage, history)))
    const counts = { ...troupe.counts, ...countRecords(history) }
    // What it means to do would go untried for ever.
    if ('change route_unknown' in counts)
      throw new Error('unable to judge: the people ask for a route that is not there')
    const report = { seed, seconds, faults, violations, counts, settledMs }
    if (violations.length > 0 && options.keepIn !== undefined) keep(options.keepIn, report, history, stage)
    return report
  } finally {
    endLag()
    await troupe?.stop()
    await stage.tearDown()
  }
}

async function judge(stage: ComposedStage, history: History): Promise<Violation[]> {
  const { chat } = stage
  // Receipts are still on their way: what is shown after the store was read is not in what was read.
  const records = [...history.records]
  const { pool, seal, epoch } = chat.ctx
  const dump = await dumpStore(pool, rows => toEntries(seal, rows, epoch()))
  const scheduled = checkScheduled(records, dump, await readUnsent(stage))
  return [...checkHistory(records, dump), ...checkLive(records, dump), ...scheduled]
}

function comeToRest(troupe: Troupe): Promise<number> {
  return settle({
    withinMs: settleMsMax,
    everyMs: 100,
    heads: () => Promise.resolve(new Map()),
    unanswered: () => troupe.unanswered(),
    behind: () => troupe.behind(),
  })
}

/** When all is over: by every node, something is said in every group. Whether it came is the checker's. */
async function probe(stage: ComposedStage, troupe: Troupe, history: History): Promise<Violation[]> {
  const { user, session } = troupe.steward
  const violations: Violation[] = []
  for (const node of stage.fleet.nodes) {
    const socket = await connectSocket({ url: node.directUrl, ticket: stage.fleet.ticket(user, session), keep: false })
    for (const conversation of troupe.groups) {
      const [clientId, text, atMs] = [randomUUID(), randomUUID(), steadyMs()]
      history.sent({ user, conversation, clientId, text })
      try {
        const { seq } = await socket.request('message.send', { conversation, clientId, body: { text } })
        history.acknowledged(user, conversation, clientId, seq)
        history.live({ kind: 'probed', node: node.id, conversation, seq, atMs })
      } catch (error) {
        violations.push({ promise: 'P11', what: `${node.id} did not acknowledge when all was over: ${String(error)}` })
      }
    }
    await socket.close()
  }
  await settle({
    withinMs: 10_000,
    everyMs: 100,
    heads: () => Promise.resolve(new Map()),
    unanswered: () => 0,
    behind: () => troupe.behind(),
  }).catch((error: unknown) => violations.push({ promise: 'P6', what: String(error) }))
  return violations
}

/** While the process that records does not run, its times are worth nothing. */
function watchLag(history: History): () => void {
  let before = steadyMs()
  const timer = setInterval(() => {
    const now = steadyMs()
    if (now - before > lagSampleMs + lagMs) history.live({ kind: 'away', what: 'recorder', fromMs: before, toMs: now })
    before = now
  }, lagSampleMs)
  return () => clearInterval(timer)
}

function countRecords(history: History): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const record of history.records) {
    const name =
      record.kind === 'delivered'
        ? `delivered ${record.how}`
        : record.kind === 'signal' && record.event === 'refresh'
          ? 'refresh'
          : record.kind
    if (['delivered', 'typing', 'told', 'greeted', 'saw', 'resync', 'signalled', 'signal'].includes(record.kind))
      counts[name] = (counts[name] ?? 0) + 1
    if (record.kind === 'saw' && record.event === 'messages.expired') counts['expired'] = (counts['expired'] ?? 0) + 1
  }
  return counts
}

function keep(folder: string, report: ComposedReport, history: History, { fleet, api, worker }: ComposedStage): void {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'report.json'), `${JSON.stringify(report, undefined, 2)}\n`)
  writeFileSync(join(folder, 'history.jsonl'), history.records.map(record => `${JSON.stringify(record)}\n`).join(''))
  for (const node of fleet.nodes) cpSync(node.logFile, join(folder, `${node.id}.log`))
  cpSync(api.logFile, join(folder, 'api.log'))
  cpSync(worker.logFile, join(folder, 'worker.log'))
}
