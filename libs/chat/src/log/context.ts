/** What verbs about conversations need: the way into the log, who is in it, and what somebody may still spend. */
import { limits } from '@flotilla/protocol'
import type { NoticesContext, NoticesSettings } from '../notices/context.ts'
import { readAlong } from '../notices/notifications/follow.ts'
import type { ChatPorts, TraceEntry } from '../ports.ts'
import { createGathering, type Gathering } from '../store/gather.ts'
import { createLane } from '../store/pool.ts'
import { type BudgetSettings, createSpending, type Spending } from './budgets.ts'
import { createInserts, type Inserts } from './inserts.ts'
import { createMemberships, type Memberships } from './memberships.ts'
import type { CrowdReacting, CrowdResult } from './messages/crowd.ts'
import { createPulse, type Pulse } from './pulse.ts'
import { createReceipts, type Receipts } from './receipts/book.ts'

export interface LogSettings extends NoticesSettings, BudgetSettings {
  /** Sends wait so long, counted from the flush before, to be committed together. */
  readonly commitWindowMs: number
  /** Entries in one commit. */
  readonly commitEntriesMax: number
  /** Entries that wait for their commit; beyond it a send is refused with `overloaded`. */
  readonly commitQueueMax: number
  /** How long a send waits for a store that is away before it is refused with `unavailable`. */
  readonly commitWaitMs: number
  /** Receipts wait so long to be written together. */
  readonly receiptWindowMs: number
  /** Receipts are told to the others in conversations up to this size. In larger ones senders are told counts, at most so often. */
  readonly receiptFanoutMax: number
  readonly receiptsGatherMs: number
  /** Typing is told to the others in conversations up to this size. */
  readonly typingFanoutMax: number
  /** For how long senders may edit what they have said, and delete it for everybody. */
  readonly editWindowMs: number
  readonly deleteWindowMs: number
  /** Whether members can read what messages said before they were edited. Without it that is erased. */
  readonly editHistory: boolean
  /** With what people may react; empty: any emoji. */
  readonly reactionEmojis: readonly string[]
  /** The members of a large conversation are told of reactions at most so often. */
  readonly reactionsGatherMs: number
  /** A conversation that grows past this many members is routed by interest from then on; past fewer, if it is large then. */
  readonly interestRoutingMin: number
  /** For so long after that it is still addressed person by person: nodes join meanwhile. */
  readonly interestSettleMs: number
  /** It is large while it has more members than that: it is not held whole, and has no offline rows. */
  readonly largeConversationMin: number
  readonly membersCachedMax: number
  /** How often the store is asked for revoked sessions and for its epoch. */
  readonly pulseMs: number
  /** Where votes are told as totals, these come at most so often, for each poll. */
  readonly pollTellMs: number
  /** Conversations that one person may be in. */
  readonly conversationsMax: number
  /** Members of one group. */
  readonly groupMembersMax: number
  /** People banned from one group, invite links of one group, and people who ask at one time to join it. */
  readonly groupBansMax: number
  readonly inviteLinksMax: number
  readonly joinRequestsMax: number
  /** How long an invite link is good, where whoever makes it does not say. */
  readonly inviteLinkLifeMs: number
  /** In a group of more members only owners and admins mention everybody. */
  readonly mentionAllFreeMax: number
  /** In a conversation of more members a mention of everybody counts, and nobody is notified of it apart. */
  readonly mentionAllToldMax: number
  /** Messages of a direct conversation before the other has accepted it. As many as fit into one answer. */
  readonly requestMessagesMax: number
  /** Messages that one person has scheduled, those that failed among them. */
  readonly scheduledMax: number
  /** Reminders that one person has set. */
  readonly remindersMax: number
  /** How long nobody may be asked again to join a group that they declined, or ask again to join one that declined them. */
  readonly requestPauseMs: number
  /** People whom one person asks into conversations at one time, and conversations into which one person is asked. */
  readonly conversationRequestsSentMax: number
  readonly conversationRequestsReceivedMax: number
}

export const logDefaults = {
  messagesPerSecond: 20,
  messagesBurst: 200,
  fanoutPerSecond: 10_000,
  fanoutBurst: 50_000,
  storedBytesPerDayMax: 100_000_000,
  commitWindowMs: 16,
  commitEntriesMax: 256,
  commitQueueMax: 20_000,
  commitWaitMs: 10_000,
  receiptWindowMs: 500,
  receiptFanoutMax: 100,
  receiptsGatherMs: 5_000,
  typingFanoutMax: 100,
  editWindowMs: Number.POSITIVE_INFINITY,
  deleteWindowMs: Number.POSITIVE_INFINITY,
  editHistory: false,
  reactionEmojis: [],
  reactionsGatherMs: 2_000,
  interestRoutingMin: 200,
  interestSettleMs: 15_000,
  largeConversationMin: 1_000,
  membersCachedMax: 1_000_000,
  pulseMs: 1_000,
  pollTellMs: 3_000,
  conversationsMax: 5_000,
  groupMembersMax: limits.groupMembersMax,
  groupBansMax: 10_000,
  inviteLinksMax: 50,
  joinRequestsMax: 1_000,
  inviteLinkLifeMs: 7 * 86_400_000,
  mentionAllFreeMax: 50,
  mentionAllToldMax: 10_000,
  requestMessagesMax: 5,
  scheduledMax: 100,
  remindersMax: 200,
  requestPauseMs: 7 * 86_400_000,
  conversationRequestsSentMax: 200,
  conversationRequestsReceivedMax: 500,
} satisfies Partial<LogSettings>

/** Reactions in one large conversation that are counted together, and that wait for it. */
const crowdBatchMax = 200
const crowdWaitingMax = 4_000

/** Commands that are decided in one transaction, and how long others are waited for after one. */
const lockingBatchMax = 128
const lockingPauseMsMax = 12

/** A pulse that is not answered for so long is given up and begun anew, on another connection: revocations must be heard. */
const pulseAnswerMs = 1_000

export interface LogContext extends NoticesContext {
  readonly settings: LogSettings
  readonly presumedAbsent: ChatPorts['presumedAbsent']
  readonly trace?: TraceEntry
  readonly spending: Spending
  readonly memberships: Memberships
  readonly inserts: Inserts
  readonly receipts: Receipts
  readonly pulse: Pulse
  /** Conversations of many whose receipts this process has to tell of, and when it wrote the last one. */
  readonly receiptRounds: Map<string, number>
  /** Reactions in large conversations, by conversation. */
  readonly crowds: Gathering<CrowdReacting, CrowdResult>
  /** Commands that need the lock of their conversation, all in one line. What they are, commit-locked.ts knows. */
  readonly lockings: Gathering<unknown, unknown>
  /** Does something in so long, unless it closes before; what must be done then is done by others. */
  later(ms: number, work: () => Promise<void>): void
  /** The store's epoch, as of the last pulse. */
  epoch(): number
}

export interface LogOptions extends ChatPorts {
  /** A batch of so many entries came to its end, so long after it was sent. For metrics. */
  readonly onCommit?: (entries: number, ms: number) => void
}

/** What the log adds to the context of notices, and `close`, which writes what waits. */
export async function openLog(notices: NoticesContext & { readonly settings: LogSettings }, options: LogOptions) {
  const { pool, logger, settings, seal } = notices
  const { onCommit, presumedAbsent, trace } = options
  const memberships = createMemberships({ pool, ...settings })
  const lane = createLane(pool, pulseAnswerMs, logger)
  const pulse = await createPulse({
    pool: lane,
    logger,
    clock: { heard: notices.heardClock },
    pulseMs: settings.pulseMs,
    onNewEpoch() {
      memberships.clear()
      seal.keepKey()
    },
  })
  const epoch = () => pulse.epoch()
  const inserts = createInserts({ pool, logger, onCommit, epoch, ...settings })
  pulse.onChanged(changes => {
    for (const { conversation, version } of changes) memberships.drop(conversation, version)
  })
  pulse.onOverrun(() => memberships.clear())
  pulse.onHidden(users => notices.restrictions.forget(users))
  const receipts = createReceipts({
    pool,
    logger,
    windowMs: settings.receiptWindowMs,
    onRead: risen => readAlong(notices, risen),
  })
  const timers = new Set<NodeJS.Timeout>()
  return {
    later(ms: number, work: () => Promise<void>) {
      const timer = setTimeout(() => {
        timers.delete(timer)
        work().catch((error: unknown) => logger.warn({ err: error }, 'unable to do what was left for later'))
      }, ms)
      timers.add(timer)
    },
    crowds: createGathering<CrowdReacting, CrowdResult>({ batchMax: crowdBatchMax, waitingMax: crowdWaitingMax }),
    lockings: createGathering({
      batchMax: lockingBatchMax,
      waitingMax: settings.commitQueueMax,
      pauseMsMax: lockingPauseMsMax,
    }),
    presumedAbsent,
    ...(trace === undefined ? {} : { trace }),
    spending: createSpending(settings, options),
    memberships,
    inserts,
    receipts,
    receiptRounds: new Map<string, number>(),
    pulse,
    epoch,
    async close() {
      pulse.stop()
      for (const timer of timers) clearTimeout(timer)
      timers.clear()
      if (!lane.ending) void lane.end()
      await Promise.all([inserts.close(), receipts.close()])
    },
  }
}
