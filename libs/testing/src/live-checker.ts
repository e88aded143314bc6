/**
 * Judges what sockets delivered, and when: nothing outside of the memberships of the store (P8), a removal is told to
 * whom it concerns (P6), every signal or a `refresh` after it reaches whoever is connected (P6), nobody hears typing of a
 * conversation for long after their removal (P8), the sockets of a revoked session close (P8), nothing passes a block (P8),
 * a send is answered in time (P11), and when all is over everything is delivered live again (P6).
 *
 * Bounds are counted in calm time: while a fault keeps from a node what it must know, and for as long as it then needs to
 * find its way back, the time stands still. What needs no time, such as the memberships, holds always.
 */
import type { Violation } from './history-checker.ts'
import type { HistoryRecord } from './history.ts'
import { joinedAt, type MembershipSpan, type StoreDump } from './store-dump.ts'

export const liveBounds = {
  /** A machine that is shared with others does not run each process at each moment. */
  noiseMs: 1_000,
  /** A pulse that failed is repeated after a second, and gives up after another when it is not answered; then it asks. */
  recoveryMs: 2_500,
  /** Promised. */
  revokedMs: 2_000,
  /** A pulse, its answer, and the grace in which the entry itself may come; then the device asks. */
  toldMs: 4_000,
  /** Until a node that died without a word is given up, a beat, and the jitter before everybody is told. */
  signalMs: 15_000,
  /** A pulse and its answer. */
  typingMs: 2_000,
  /** A send waits so long for a store that is away. */
  sendMs: 10_000,
  /** From a send to everybody, when nothing is broken. */
  probeMs: 10_000,
  /** The longest that a call to the API is under way after its caller has given up. */
  lateCallMs: 20_000,
}

export type LiveBounds = typeof liveBounds
type RecordOf<K extends HistoryRecord['kind']> = Extract<HistoryRecord, { kind: K }>
type Report = (promise: Violation['promise'], what: string) => void

interface SocketLife {
  readonly id: number
  readonly device: string
  readonly user: string
  readonly session: string
  readonly node: string
  readonly fromMs: number
  toMs: number
}

/** @returns every violation that was found; none if all promises were kept */
export function checkLive(
  records: readonly HistoryRecord[],
  dump: StoreDump,
  bounds: LiveBounds = liveBounds,
): Violation[] {
  const violations: Violation[] = []
  const report: Report = (promise, what) => violations.push({ promise, what })
  const scene = readScene(records, dump, bounds)
  checkProof(scene, report)
  checkDelivered(scene, report)
  checkHello(scene, report)
  checkTold(scene, report)
  checkSignals(scene, report)
  checkTyping(scene, report)
  checkRevoked(scene, report)
  checkBlocks(records, report)
  checkSends(scene, report)
  checkAnswers(scene, report)
  checkProbes(scene, report)
  return violations
}

interface Scene {
  readonly bounds: LiveBounds
  of<K extends HistoryRecord['kind']>(kind: K): readonly RecordOf<K>[]
  readonly sockets: ReadonlyMap<number, SocketLife>
  spans(conversation: string, user: string): readonly MembershipSpan[]
  /** How much of this time these nodes, and these sockets, had all that they need. */
  calmMs(fromMs: number, toMs: number, nodes: readonly string[], sockets?: readonly number[]): number
  /** How much of it what the API says could find its way to this socket. */
  routedMs(fromMs: number, toMs: number, life: SocketLife): number
  /** How much of it this node ran and could be reached by this socket, whatever the store did. */
  reachableMs(fromMs: number, toMs: number, life: SocketLife): number
  isAway(what: string, fromMs: number, toMs?: number): boolean
  /** When this person may have been let in again after a removal; Infinity when never. */
  backMs(conversation: string, user: string, afterMs: number): number
  /** The time of the last record. */
  readonly endMs: number
}

const keyOf = (...parts: readonly string[]) => parts.join(' ')

function readScene(records: readonly HistoryRecord[], dump: StoreDump, bounds: LiveBounds): Scene {
  const byKind = Map.groupBy(records, one => one.kind) as Map<string, HistoryRecord[]>
  const of = <K extends HistoryRecord['kind']>(kind: K) => (byKind.get(kind) ?? []) as RecordOf<K>[]
  let endMs = 0
  for (const record of records) if ('atMs' in record && record.kind !== 'sent') endMs = Math.max(endMs, record.atMs)
  const sockets = new Map<number, SocketLife>()
  for (const { socket, device, user, session, node, atMs } of of('greeted'))
    sockets.set(socket, { id: socket, device, user, session, node, fromMs: atMs, toMs: endMs })
  for (const { socket, atMs } of of('ended')) {
    const life = sockets.get(socket)
    if (life !== undefined) life.toMs = atMs
  }
  const away = Map.groupBy(of('away'), one => one.what)
  const spans = Map.groupBy(dump.memberships, one => keyOf(one.conversation, one.user))
  const additions = readAdditions(records)
  const withoutMs = (needed: readonly string[], fromMs: number, toMs: number) => {
    const windows = needed
      .flatMap(what => away.get(what) ?? [])
      .map(one => ({ fromMs: one.fromMs, toMs: one.toMs + bounds.recoveryMs }))
    return toMs - fromMs - coveredMs(windows, fromMs, toMs)
  }
  return {
    bounds,
    of,
    sockets,
    endMs,
    spans: (conversation, user) => spans.get(keyOf(conversation, user)) ?? [],
    calmMs(fromMs, toMs, nodes, ofSockets = []) {
      const needed = ['postgres', 'recorder', ...ofSockets.map(id => `socket ${id}`)]
      for (const node of nodes) needed.push(node, `postgres of ${node}`)
      return withoutMs(needed, fromMs, toMs)
    },
    reachableMs: (fromMs, toMs, { node, id }) => withoutMs(['recorder', node, `socket ${id}`], fromMs, toMs),
    routedMs(fromMs, toMs, { node, id }) {
      const ways = [node, 'api'].flatMap(process => [process, `postgres of ${process}`, `redis of ${process}`])
      return withoutMs(['postgres', 'redis', 'recorder', `socket ${id}`, ...ways], fromMs, toMs)
    },
    isAway: (what, fromMs, toMs = fromMs) =>
      (away.get(what) ?? []).some(one => toMs >= one.fromMs && fromMs <= one.toMs),
    backMs(conversation, user, afterMs) {
      const begun = additions.get(keyOf(conversation, user)) ?? []
      for (const { atMs, known } of begun) {
        if (atMs > afterMs) return atMs
        // It may have come to that after its caller had given up.
        if (!known && atMs > afterMs - bounds.lateCallMs) return afterMs
      }
      return Number.POSITIVE_INFINITY
    },
  }
}

/** The additions of each person to each conversation in order, and whether their outcome is known. */
function readAdditions(records: readonly HistoryRecord[]): Map<string, { atMs: number; known: boolean }[]> {
  const additions = new Map<string, { atMs: number; known: boolean }[]>()
  for (const record of records) {
    if (record.kind !== 'adding' && record.kind !== 'joined') continue
    const key = keyOf(record.conversation, record.user)
    const begun = additions.get(key) ?? []
    additions.set(key, begun)
    const last = begun.at(-1)
    if (record.kind === 'adding') begun.push({ atMs: record.atMs, known: false })
    else if (last !== undefined) last.known = true
  }
  return additions
}

/** How much of a time lies in these windows. */
function coveredMs(windows: readonly { fromMs: number; toMs: number }[], fromMs: number, toMs: number): number {
  let covered = 0
  let upTo = fromMs
  for (const window of [...windows].sort((a, b) => a.fromMs - b.fromMs)) {
    const begins = Math.max(upTo, window.fromMs)
    const ends = Math.min(toMs, window.toMs)
    if (ends <= begins) continue
    covered += ends - begins
    upTo = ends
  }
  return covered
}

/** A run in which nothing happened must not pass. */
function checkProof({ of }: Scene, report: Report): void {
  const live = of('delivered').filter(one => one.how === 'live').length
  if (live === 0 || of('probed').length === 0)
    report('sanity', `nothing was proven: ${live} entries delivered live, ${of('probed').length} sent at the end`)
}

/** P8: no entry outside of a membership, whatever frame brings it. A node of a former version has its own faults. */
function checkDelivered(scene: Scene, report: Report): void {
  for (const { socket, conversation, seq, how, atMs } of scene.of('delivered')) {
    const life = scene.sockets.get(socket)!
    if (scene.isAway(`former ${life.node}`, atMs)) continue
    const spans = scene.spans(conversation, life.user)
    if (spans.some(span => isShown(scene, span, { seq, atMs }))) continue
    const shown = spans.map(({ from, to }) => `[${from}, ${to ?? '∞'}]`).join(' ') || 'none'
    report(
      'P8',
      `${life.device} (${life.user}) on ${life.node} was given seq ${seq} of ${conversation} (${how}), with memberships ${shown}`,
    )
  }
}

/** What was said before somebody joined may be shown to them; not before they were being added. */
function isShown(scene: Scene, span: MembershipSpan, { seq, atMs }: { seq: number; atMs: number }): boolean {
  const { conversation, user, from, to = Number.POSITIVE_INFINITY } = span
  if (seq < from || seq > to) return false
  const joined = joinedAt(span)
  if (seq >= joined) return true
  const out = scene
    .of('put-out')
    .findLast(one => one.conversation === conversation && one.user === user && one.seq < joined)
  return out === undefined || scene.backMs(conversation, user, out.atMs) <= atMs
}

/** P5: hello is the first frame. A client that reads heads after it would not know what to do with an earlier one. */
function checkHello(scene: Scene, report: Report): void {
  for (const { node, device, event, atMs } of scene.of('early'))
    if (!scene.isAway(`former ${node}`, atMs)) report('P5', `${device} on ${node} got ${event} before hello`)
}

/** P6: a device that is connected hears that its person is out. One that knows nothing of the conversation need not. */
function checkTold(scene: Scene, report: Report): void {
  const told = Map.groupBy(scene.of('told'), one => keyOf(one.device, one.conversation))
  const saw = Map.groupBy(scene.of('saw'), one => keyOf(one.device, one.conversation))
  for (const { conversation, user, seq, atMs } of scene.of('put-out')) {
    const span = scene.spans(conversation, user).find(one => one.to === seq)
    const backMs = scene.backMs(conversation, user, atMs)
    for (const life of scene.sockets.values()) {
      if (life.user !== user || life.fromMs > atMs || life.toMs < atMs || span === undefined) continue
      const key = keyOf(life.device, conversation)
      if (saw.get(key)?.some(one => one.seq >= joinedAt(span) && one.seq <= seq) !== true) continue
      const heard = told.get(key)?.find(one => one.atMs > atMs - scene.bounds.lateCallMs)?.atMs
      const untilMs = Math.min(heard ?? Number.POSITIVE_INFINITY, life.toMs, backMs)
      const waitedMs = scene.calmMs(atMs, untilMs, [life.node], [life.id])
      if (waitedMs > scene.bounds.toldMs + scene.bounds.noiseMs)
        report(
          'P6',
          `${life.device} (${user}) on ${life.node} was ${heard === undefined ? 'not told' : 'told late'} that it is out of ${conversation} since seq ${seq}: ${seconds(waitedMs)} after the answer`,
        )
    }
  }
}

/**
 * P6: what is no log is told, or else that something was missed. Whoever connects reads it, and a node of a former version
 * says no `refresh`.
 */
function checkSignals(scene: Scene, report: Report): void {
  const heard = Map.groupBy(scene.of('signal'), one => one.socket)
  const lives = Map.groupBy(scene.sockets.values(), one => one.user)
  for (const { user, event, about, fromMs, atMs } of scene.of('signalled'))
    for (const life of lives.get(user) ?? []) {
      if (life.fromMs > fromMs || life.toMs < atMs) continue
      const told = heard
        .get(life.id)
        ?.find(one => one.atMs >= fromMs && (one.event === 'refresh' || (one.event === event && one.about === about)))
      const untilMs = Math.min(told?.atMs ?? Number.POSITIVE_INFINITY, life.toMs)
      if (scene.isAway(`former ${life.node}`, fromMs, untilMs)) continue
      const waitedMs = scene.routedMs(atMs, untilMs, life)
      if (waitedMs > scene.bounds.signalMs + scene.bounds.noiseMs)
        report(
          'P6',
          `${life.device} (${user}) on ${life.node} ${told === undefined ? 'never heard' : 'heard late'} ${event} of ${about}, or that it missed it: ${seconds(waitedMs)} after the answer`,
        )
    }
}

/** P8: neither does somebody who was removed hear who types, nor do the others hear that they type. */
function checkTyping(scene: Scene, report: Report): void {
  const removals = Map.groupBy(scene.of('put-out'), one => keyOf(one.conversation, one.user))
  const byUser = Map.groupBy(scene.sockets.values(), one => one.user)
  for (const { socket, conversation, user: typist, atMs } of scene.of('typing')) {
    const life = scene.sockets.get(socket)!
    for (const who of [life.user, typist]) {
      const removal = removals.get(keyOf(conversation, who))?.findLast(one => one.atMs < atMs)
      if (removal === undefined || scene.backMs(conversation, who, removal.atMs) <= atMs) continue
      // It was told by a node on which the typist was.
      const senders = (byUser.get(typist) ?? []).filter(one => one.fromMs < atMs && one.toMs > removal.atMs - 1_000)
      const nodes = [life.node, ...senders.map(one => one.node)]
      const lateMs = scene.calmMs(removal.atMs, atMs, nodes, [life.id])
      if (lateMs > scene.bounds.typingMs + scene.bounds.noiseMs)
        report(
          'P8',
          `${life.device} (${life.user}) on ${life.node} heard ${typist} type in ${conversation} ${seconds(lateMs)} after the removal of ${who === typist ? 'the typist' : 'the listener'} was answered`,
        )
    }
  }
}

/** P8: the sockets of a revoked session close, and none of it stays open. */
function checkRevoked(scene: Scene, report: Report): void {
  const bySession = Map.groupBy(scene.sockets.values(), one => one.session)
  for (const { session, atMs } of scene.of('revoked'))
    for (const life of bySession.get(session) ?? []) {
      if (life.toMs <= atMs) continue
      const openMs = scene.calmMs(atMs, life.toMs, [life.node], [life.id])
      if (openMs > scene.bounds.revokedMs + scene.bounds.noiseMs)
        report(
          'P8',
          `${life.device} (${life.user}) on ${life.node} was open ${seconds(openMs)} after the end of its session was answered`,
        )
    }
}

/** P8: what is sent while a block is in force is not acknowledged. */
function checkBlocks(records: readonly HistoryRecord[], report: Report): void {
  const blocked = new Set<string>()
  const sentWithin = new Map<string, string>()
  for (const record of records) {
    if (record.kind === 'blocked') blocked.add(record.conversation)
    else if (record.kind === 'unblocking') {
      blocked.delete(record.conversation)
      for (const [send, conversation] of sentWithin) if (conversation === record.conversation) sentWithin.delete(send)
    } else if (record.kind === 'sent' && blocked.has(record.conversation))
      sentWithin.set(record.clientId, record.conversation)
    else if (record.kind === 'acknowledged' && sentWithin.has(record.clientId))
      report('P8', `send ${record.clientId} in ${record.conversation} was acknowledged at ${record.seq} during a block`)
  }
}

/** P11: whatever the store does, a node answers. */
function checkSends(scene: Scene, report: Report): void {
  for (const { socket, atMs, answeredMs } of scene.of('send')) {
    const life = scene.sockets.get(socket)!
    const untilMs = answeredMs ?? life.toMs
    // The store may be away: for that it has its time.
    const tookMs = scene.reachableMs(atMs, untilMs, life)
    if (tookMs > scene.bounds.sendMs + scene.bounds.noiseMs)
      report(
        'P11',
        `a send of ${life.device} on ${life.node} was ${answeredMs === undefined ? 'not answered' : 'answered'} after ${seconds(tookMs)}`,
      )
  }
}

/** P11: what fails for a fault of a store is told to come again, and is nobody's `internal`. */
function checkAnswers({ of }: Scene, report: Report): void {
  for (const { what, code } of of('refused'))
    if (code === 'internal') report('P11', `${what} was answered with internal`)
  for (const { clientId, code } of of('failed'))
    if (code === 'internal') report('P11', `send ${clientId} was answered with internal`)
}

/** P6: when everything is over, whoever is connected gets live what is said by whatever node. */
function checkProbes(scene: Scene, report: Report): void {
  const live = Map.groupBy(
    scene.of('delivered').filter(one => one.how === 'live'),
    one => keyOf(one.conversation, String(one.seq)),
  )
  for (const { node, conversation, seq, atMs } of scene.of('probed')) {
    const got = new Map<string, number>()
    for (const one of live.get(keyOf(conversation, String(seq))) ?? []) {
      const { device } = scene.sockets.get(one.socket)!
      got.set(device, Math.min(one.atMs, got.get(device) ?? one.atMs))
    }
    for (const life of scene.sockets.values()) {
      const isMember = scene.spans(conversation, life.user).some(one => seq >= joinedAt(one) && one.to === undefined)
      if (!isMember || life.fromMs > atMs || life.toMs < scene.endMs) continue
      const tookMs = (got.get(life.device) ?? Number.POSITIVE_INFINITY) - atMs
      if (tookMs > scene.bounds.probeMs)
        report(
          'P6',
          `${life.device} on ${life.node} did not get seq ${seq} of ${conversation} live, that was sent by ${node} when all was over${Number.isFinite(tookMs) ? `, but after ${seconds(tookMs)}` : ''}`,
        )
    }
  }
}

const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`
