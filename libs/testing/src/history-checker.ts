/**
 * Decides whether the promises P1 to P8 were kept, from what clients did and saw and from what the store holds at the
 * end. It knows nothing of nodes, routing or the SDK, and believes nobody: an empty history is a violation too.
 */
import { emptyConversation, type Entry, foldAll } from '@flotilla/protocol'
import type { HistoryRecord } from './history.ts'
import { joinedAt, type MembershipSpan, type StoreDump, type StoredEntry } from './store-dump.ts'

export type Promised = 'P1' | 'P2' | 'P3' | 'P4' | 'P5' | 'P6' | 'P7' | 'P8' | 'P11'

export interface Violation {
  /** The promise that was broken; `sanity` when the history itself proves nothing. */
  readonly promise: Promised | 'sanity'
  readonly what: string
}

type Report = (promise: Violation['promise'], what: string) => void
type RecordOf<K extends HistoryRecord['kind']> = Extract<HistoryRecord, { kind: K }>

/**
 * Checks a history when everything has come to rest: sends are answered, connected devices had time to catch up.
 * @returns every violation that was found; none if all promises were kept
 */
export function checkHistory(records: readonly HistoryRecord[], dump: StoreDump): Violation[] {
  const violations: Violation[] = []
  const report: Report = (promise, what) => violations.push({ promise, what })
  const store = indexStore(dump)
  checkSanity(records, dump, report)
  checkLog(store, report)
  checkSends(records, store, report)
  checkMembershipChanges(records, store, report)
  for (const device of gatherDevices(records, report)) checkDevice(device, store, report)
  checkReceipts(records, dump, store, report)
  return violations
}

interface Store {
  readonly heads: ReadonlyMap<string, number>
  /** The entries of each conversation, by seq. Of two with one seq the first. */
  readonly logs: ReadonlyMap<string, ReadonlyMap<number, StoredEntry>>
  readonly entries: readonly StoredEntry[]
  /** By conversation, sender and clientId. */
  readonly bySend: ReadonlyMap<string, readonly StoredEntry[]>
  spans(conversation: string, user: string): readonly MembershipSpan[]
  /** The conversations that this person is in, or was. */
  conversationsOf(user: string): readonly string[]
}

const keyOf = (...parts: readonly string[]) => parts.join(' ')

function indexStore(dump: StoreDump): Store {
  const logs = new Map<string, Map<number, StoredEntry>>()
  for (const { conversation } of dump.heads) logs.set(conversation, new Map())
  for (const entry of dump.entries) {
    const log = logs.get(entry.conversation) ?? new Map<number, StoredEntry>()
    logs.set(entry.conversation, log)
    if (!log.has(entry.seq)) log.set(entry.seq, entry)
  }
  const spans = Map.groupBy(dump.memberships, one => keyOf(one.conversation, one.user))
  const byUser = Map.groupBy(dump.memberships, one => one.user)
  return {
    heads: new Map(dump.heads.map(({ conversation, head }) => [conversation, head])),
    logs,
    entries: dump.entries,
    bySend: Map.groupBy(dump.entries, one => keyOf(one.conversation, one.sender, one.clientId)),
    spans: (conversation, user) => spans.get(keyOf(conversation, user)) ?? [],
    conversationsOf: user => (byUser.get(user) ?? []).map(one => one.conversation),
  }
}

/** A test in which nothing happened must not pass. */
function checkSanity(records: readonly HistoryRecord[], dump: StoreDump, report: Report): void {
  const acknowledged = records.filter(one => one.kind === 'acknowledged').length
  const saw = records.filter(one => one.kind === 'saw').length
  if (acknowledged === 0 || saw === 0 || dump.entries.length === 0)
    report(
      'sanity',
      `nothing was proven: ${acknowledged} sends acknowledged, ${saw} entries seen, ${dump.entries.length} stored`,
    )
}

/** P2 and P3 of the store alone: one row a send, and seqs exactly 1 to head. */
function checkLog(store: Store, report: Report): void {
  for (const [send, rows] of store.bySend)
    if (rows.length > 1)
      report('P2', `send ${send} made ${rows.length} rows, at seqs ${seqs(rows.map(row => row.seq))}`)
  for (const [conversation, rows] of Map.groupBy(store.entries, one => one.conversation)) {
    const head = store.heads.get(conversation)
    const log = store.logs.get(conversation)
    if (head === undefined || log === undefined) {
      report('P3', `${conversation} has entries and no head`)
      continue
    }
    if (rows.length > log.size) report('P3', `${conversation} has ${rows.length - log.size} seqs more than once`)
    const beyond = [...log.keys()].filter(seq => seq < 1 || seq > head)
    if (beyond.length > 0) report('P3', `${conversation} has entries outside of 1 to ${head}: ${seqs(beyond)}`)
  }
  for (const [conversation, head] of store.heads) {
    const log = store.logs.get(conversation)
    const missing: number[] = []
    for (let seq = 1; seq <= head; seq += 1) if (log?.has(seq) !== true) missing.push(seq)
    if (missing.length > 0) report('P3', `${conversation} has no entry at ${seqs(missing)}, below its head ${head}`)
  }
}

/** P1 and P2 of every send that was answered. */
function checkSends(records: readonly HistoryRecord[], store: Store, report: Report): void {
  const texts = new Map<string, string | undefined>()
  const answers = new Map<string, number>()
  for (const record of records)
    if (record.kind === 'sent') texts.set(keyOf(record.conversation, record.user, record.clientId), record.text)
  for (const record of records) {
    if (record.kind !== 'acknowledged') continue
    const send = keyOf(record.conversation, record.user, record.clientId)
    const before = answers.get(send)
    if (before !== undefined) {
      if (before !== record.seq) report('P2', `send ${send} was answered with seq ${before} and with seq ${record.seq}`)
      continue
    }
    answers.set(send, record.seq)
    const text = texts.get(send)
    if (!texts.has(send)) report('sanity', `send ${send} was acknowledged and not recorded as sent`)
    const rows = store.bySend.get(send) ?? []
    const row = rows.find(one => one.seq === record.seq)
    // What has nothing to say may have been said before, by anybody.
    const isSaid = text === undefined && store.logs.get(record.conversation)?.has(record.seq) === true
    if (rows.length === 0 && isSaid) continue
    if (rows.length === 0) report('P1', `send ${send} was acknowledged with seq ${record.seq} and is not in the store`)
    else if (row === undefined)
      report(
        'P1',
        `send ${send} was acknowledged with seq ${record.seq} and is stored at ${seqs(rows.map(one => one.seq))}`,
      )
    else if (text !== undefined && !isOutdated(row) && row.text !== text)
      report('P1', `send ${send} was acknowledged and is stored with another text`)
  }
}

/** What it said when it was stored has been replaced since. */
const isOutdated = ({ changedSeq, target, text }: StoredEntry) =>
  changedSeq !== undefined || (target !== undefined && text === undefined)

/** A change of membership is acknowledged as well: P1 holds for it. */
function checkMembershipChanges(records: readonly HistoryRecord[], store: Store, report: Report): void {
  for (const record of records) {
    if (record.kind !== 'joined' && record.kind !== 'removed') continue
    const { kind, conversation, user, seq } = record
    const known = store.spans(conversation, user).some(span => (kind === 'joined' ? joinedAt(span) : span.to) === seq)
    if (!known) report('P1', `${user} ${kind} ${conversation} with seq ${seq}, and the store does not know it`)
  }
}

/** What one device went through, by conversation. */
interface Device {
  readonly name: string
  readonly user: string
  readonly reconnects: number
  readonly endedConnected: boolean
  readonly views: ReadonlyMap<string, View>
}

interface View {
  readonly steps: (RecordOf<'saw'> | RecordOf<'resync'> | RecordOf<'left'>)[]
  start?: number
  left: boolean
}

/** Judged elsewhere: receipts below, what sockets delivered in live-checker.ts. */
const passedOver: ReadonlySet<HistoryRecord['kind']> = new Set(['opened', 'receipt', 'greeted', 'early', 'told'])

function gatherDevices(records: readonly HistoryRecord[], report: Report): Device[] {
  const devices = new Map<string, Device & { reconnects: number; endedConnected: boolean; views: Map<string, View> }>()
  for (const record of records)
    if (record.kind === 'opened')
      devices.set(record.device, {
        name: record.device,
        user: record.user,
        reconnects: -1,
        endedConnected: false,
        views: new Map(),
      })
  for (const record of records) {
    if (!('device' in record) || passedOver.has(record.kind)) continue
    const device = devices.get(record.device)
    if (device === undefined) {
      report('sanity', `device ${record.device} was never opened`)
      return []
    }
    if (record.kind === 'connected' || record.kind === 'disconnected') {
      device.endedConnected = record.kind === 'connected'
      if (record.kind === 'connected') device.reconnects += 1
      continue
    }
    if (record.kind !== 'saw' && record.kind !== 'resync' && record.kind !== 'starts' && record.kind !== 'left')
      continue
    const view = device.views.get(record.conversation) ?? { steps: [], left: false }
    device.views.set(record.conversation, view)
    if (record.kind === 'starts') view.start = record.seq
    else {
      if (record.kind === 'left') view.left = true
      view.steps.push(record)
    }
  }
  return [...devices.values()]
}

function checkDevice(device: Device, store: Store, report: Report): void {
  for (const [conversation, view] of device.views) {
    const where = `device ${device.name} in ${conversation}`
    const sights = view.steps.filter(step => step.kind === 'saw')
    const hidden = new Set(sights.filter(sight => sight.event === 'message.hidden').map(sight => sight.seq))
    for (const sight of sights) checkSight(sight, { where, user: device.user, hidden }, store, report)
  }
  // Also the conversations of which the device has seen nothing at all.
  for (const conversation of new Set([...store.conversationsOf(device.user), ...device.views.keys()])) {
    if (!store.heads.has(conversation)) continue
    const view = device.views.get(conversation) ?? { steps: [], left: false }
    const spans = store.spans(conversation, device.user)
    if (spans.length > 0 || view.steps.length > 0) checkView(device, conversation, view, spans, store, report)
  }
}

interface Sighting {
  readonly where: string
  readonly user: string
  /** The places that the device got instead of messages that its person has hidden. */
  readonly hidden: ReadonlySet<number>
}

/** P3 and P8 of one entry that was seen. */
function checkSight(sight: RecordOf<'saw'>, { where, user, hidden }: Sighting, store: Store, report: Report): void {
  const { conversation, seq, event, clientId, text } = sight
  const stored = store.logs.get(conversation)?.get(seq)
  if (stored === undefined) {
    report('P3', `${where} saw ${event} at seq ${seq}, where the store has nothing`)
    return
  }
  // Before it was changed it may have said something else: what the device shows in the end is looked at below.
  const isOlder =
    (sight.changedSeq ?? 0) < (stored.changedSeq ?? 0) || (isOutdated(stored) && stored.target !== undefined)
  // The place of a hidden message has no text, nor has an edit of it.
  const isPlace = event === 'message.hidden' && stored.event === 'message.new'
  const isWithheld = isPlace || (event === 'message.edited' && text === undefined && hidden.has(stored.target ?? 0))
  const same =
    (isPlace || stored.event === event) &&
    (isWithheld || stored.text === text || isOlder) &&
    (clientId === undefined || clientId === stored.clientId)
  if (!same)
    report('P3', `${where} saw ${event} ${clientId ?? ''} at seq ${seq}, and the store has something else there`)
  const allowed = store.spans(conversation, user).some(span => shows(span, seq))
  if (!allowed) report('P8', `${where} saw seq ${seq}, when ${user} was not a member`)
}

/**
 * P4, and P5 or P6: a view falls into stretches, each begun by a verdict `resync`, or after `left` by a later membership that
 * shows what was before it; within one nothing is missing or twice.
 */
function checkView(
  device: Device,
  conversation: string,
  view: View,
  spans: readonly MembershipSpan[],
  store: Store,
  report: Report,
): void {
  const where = `device ${device.name} in ${conversation}`
  const log = store.logs.get(conversation) ?? new Map<number, StoredEntry>()
  const debts = spans.map((span, nth) => toDebt(span, spans.slice(nth + 1), device, view))
  const owes = (seq: number) => log.has(seq) && debts.some(debt => seq >= debt.from && seq <= debt.to)
  let seen = new Set<number>()
  let highest = 0
  /** The highest that the device had a right to: a leak or a phantom must not look like a gap before it. */
  let highestOwed = 0
  let first = view.start === undefined ? 1 : view.start + 1
  /** Where the membership began that a stretch begins with: what a later one shows is owed once the device knows of that. */
  let begun: number | undefined
  const closeStretch = (upTo: number) => {
    const known = upTo === Infinity ? Infinity : Math.max(highest, begun ?? 0)
    const owed = debts.filter((_debt, nth) => joinedAt(spans[nth]!) <= known)
    const missing = owed.flatMap(debt => missingOf(debt, log, seen, first, upTo))
    if (missing.length > 0)
      report(device.reconnects > 0 ? 'P5' : 'P6', `${where} never saw seqs ${seqs(missing)} and was not told to resync`)
  }
  for (const [index, step] of view.steps.entries()) {
    if (step.kind === 'resync') {
      closeStretch(highestOwed)
      seen = new Set()
      highest = 0
      highestOwed = 0
      const next = view.steps[index + 1]
      first = next?.kind === 'saw' ? Math.min(next.seq, step.head) : step.head
      begun = Infinity
    } else if (step.kind === 'left') {
      const again = againFrom(view.steps.slice(index + 1), spans, highest)
      if (again === undefined) continue
      closeStretch(highestOwed)
      seen = new Set()
      highest = 0
      highestOwed = 0
      first = again.from
      begun = joinedAt(again)
    } else if (seen.has(step.seq)) report('P4', `${where} saw seq ${step.seq} twice`)
    else {
      if (step.seq < highest) report('P4', `${where} saw seq ${step.seq} after seq ${highest}`)
      begun ??= beginningOf(spans, step.seq)
      seen.add(step.seq)
      highest = Math.max(highest, step.seq)
      if (owes(step.seq)) highestOwed = Math.max(highestOwed, step.seq)
    }
  }
  closeStretch(device.endedConnected ? Infinity : highestOwed)
  checkShown(where, view.steps.slice(view.steps.findLastIndex(step => step.kind !== 'saw') + 1), log, report)
}

const shows = ({ from, to = Infinity }: MembershipSpan, seq: number) => seq >= from && seq <= to

/** Where the first membership began that shows this entry. */
function beginningOf(spans: readonly MembershipSpan[], seq: number): number | undefined {
  const span = spans.find(one => shows(one, seq))
  return span === undefined ? undefined : joinedAt(span)
}

/**
 * The membership by which the view of somebody who left begins again, if it goes back: one that began after all that was
 * seen may show it once more.
 */
function againFrom(
  following: View['steps'],
  spans: readonly MembershipSpan[],
  highest: number,
): MembershipSpan | undefined {
  const next = following.find(step => step.kind !== 'left')
  if (next?.kind !== 'saw') return undefined
  const { seq } = next
  const again = spans.find(span => joinedAt(span) > highest && shows(span, seq))
  return again !== undefined && (seq <= highest || seq < joinedAt(again)) ? again : undefined
}

/** P3 of what a device shows: folded, the entries that it saw say of each message what the store says. */
function checkShown(where: string, steps: View['steps'], log: ReadonlyMap<number, StoredEntry>, report: Report): void {
  const sights = steps.filter(step => step.kind === 'saw')
  const seen = new Set(sights.map(sight => sight.seq))
  const { messages } = foldAll(
    emptyConversation,
    sights
      .filter(({ event }) => event.startsWith('message.') || event === 'messages.expired')
      .map(
        ({ text, ...sight }) => ({ ...sight, ...(text === undefined ? {} : { body: { text } }) }) as unknown as Entry,
      ),
  )
  for (const [seq, { posted, content }] of messages) {
    const stored = log.get(seq)
    // What the device cannot know is a gap, and that is judged above.
    const knows = stored?.changedSeq === undefined || seen.has(stored.changedSeq)
    if (posted === undefined || content === undefined || stored === undefined || !knows) continue
    const { text } = content.value.body as { text?: string }
    if (text !== stored.text) report('P3', `${where} shows another text at seq ${seq} than the store has`)
  }
}

/** The entries of one membership that a device has to see. */
interface Debt {
  readonly from: number
  readonly to: number
  /** Also those after the last one that was seen. */
  readonly tail: boolean
}

/**
 * The last entries of a membership that has ended are not owed to a device that was away meanwhile, was told that it is
 * out, or came later: it cannot ask for them any more. What a later membership shows as well is owed by that one.
 */
function toDebt(span: MembershipSpan, later: readonly MembershipSpan[], device: Device, view: View): Debt {
  const { from } = span
  if (span.to === undefined) return { from, to: Infinity, tail: true }
  const to = Math.min(span.to, ...later.map(one => one.from - 1))
  const witnessed = view.steps.some(step => step.kind === 'saw' && step.seq >= from && step.seq <= to)
  return { from, to, tail: witnessed && device.reconnects <= 0 && !view.left }
}

function missingOf(
  debt: Debt,
  log: ReadonlyMap<number, StoredEntry>,
  seen: ReadonlySet<number>,
  first: number,
  upTo: number,
): number[] {
  let last = debt.tail ? Infinity : 0
  if (!debt.tail) for (const seq of seen) if (seq >= debt.from && seq <= debt.to) last = Math.max(last, seq)
  const low = Math.max(debt.from, first)
  const high = Math.min(debt.to, upTo, last)
  return [...log.keys()].filter(seq => seq >= low && seq <= high && !seen.has(seq))
}

/**
 * P7: what a device shows only rises, never passes the head nor what the store holds; in the store read <= delivered <=
 * head. That read is at most delivered is asked of the store alone, because on the wire read implies delivered.
 */
function checkReceipts(records: readonly HistoryRecord[], dump: StoreDump, store: Store, report: Report): void {
  const stored = new Map(dump.cursors.map(one => [keyOf(one.conversation, one.user), one]))
  for (const { conversation, user, delivered, read } of dump.cursors) {
    const head = store.heads.get(conversation) ?? 0
    if (read > delivered || delivered > head)
      report('P7', `the store has ${user} in ${conversation} at read ${read}, delivered ${delivered}, head ${head}`)
  }
  const shown = new Map<string, number>()
  for (const record of records) {
    if (record.kind !== 'receipt') continue
    const { device, conversation, user, type, seq } = record
    const what = `device ${device} was shown ${user} in ${conversation} at ${type} ${seq}`
    const key = keyOf(device, conversation, user, type)
    const before = shown.get(key) ?? 0
    const head = store.heads.get(conversation) ?? 0
    // Somebody who was removed and came back begins anew: what was shown before is of another row.
    const present = store.spans(conversation, user).find(span => span.to === undefined)
    const since = present === undefined ? Infinity : joinedAt(present)
    const cursor = seq < since ? undefined : stored.get(keyOf(conversation, user))?.[type]
    if (seq < before) report('P7', `${what}, after ${before}`)
    else if (seq > head) report('P7', `${what}, beyond the head ${head}`)
    else if (cursor !== undefined && seq > cursor) report('P7', `${what}, and the store has ${cursor}`)
    shown.set(key, Math.max(before, seq))
  }
}

/** `1-3, 7` */
function seqs(list: readonly number[]): string {
  const sorted = [...list].sort((a, b) => a - b)
  const runs: string[] = []
  for (let start = 0; start < sorted.length; ) {
    let end = start
    while (sorted[end + 1] === (sorted[end] ?? 0) + 1) end += 1
    runs.push(start === end ? `${sorted[start]}` : `${sorted[start]}-${sorted[end]}`)
    start = end + 1
  }
  return runs.join(', ')
}
