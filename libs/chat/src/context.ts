/**
 * What every verb of the domain works with. Whatever comes from outside (clock, logger, who is online, how an event
 * finds its way) is an argument here; main.ts of an app joins them.
 */
import { type Event, limits } from '@flotilla/protocol'
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import type { Pool } from 'pg'
import { type DirectFrom, directFroms } from './access.ts'
import { type BudgetPorts, type BudgetSettings, createSpending, type Spending } from './log/budgets.ts'
import { createInserts, type Inserts } from './log/inserts.ts'
import type { RegistrationMode } from './accounts/registration/may-register.ts'
import { createMemberships, type Memberships } from './log/memberships.ts'
import { readAlong } from './notices/notifications/follow.ts'
import { createRestrictions, type Restrictions } from './privacy/restrictions.ts'
import { createPulse, type Pulse } from './log/pulse.ts'
import { createReceipts, type Receipts } from './log/receipts/book.ts'
import { createSealer, type MasterKey, type Sealer } from './store/seal.ts'
import { createSeats, type Seats } from './store/seats.ts'
import { type Admissions, createAdmissions } from './accounts/sessions/admissions.ts'
import { createStoreClock, type StoreClock } from './store/clock.ts'
import { createLane } from './store/pool.ts'
import * as schema from './store/schema.ts'
import { createTurns, type Turns } from './store/turns.ts'
import { createLastSeen, type LastSeen } from './users/last-seen.ts'
import { createPasswords, type Passwords } from './accounts/passwords/passwords.ts'

/** The part of a pino logger that the domain needs. */
export interface ChatLogger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** Something that others must hear, after the commit. */
export interface Emission {
  /** Whom: people, or whoever is here of a large conversation at this version of its membership. */
  readonly to: readonly string[] | { readonly conversation: string; readonly version: number }
  readonly event: Event
  /**
   * With entries of a log: their place, the membership version that they made, if they changed it, and when they were
   * committed, unless they are told once more.
   */
  readonly entry?: {
    readonly conversation: string
    readonly seq: number
    readonly membership?: number
    readonly at?: number
  }
  /** With what is no entry: the membership that decided whom it is for. Who knows of a later one lets it be. */
  readonly asOf?: { readonly conversation: string; readonly version: number }
  /** The connection that has it already, by its reply. */
  readonly origin?: object
}

/** Hears where an entry's time went. `startedAt` is of performance.now(); the part ends with the call. */
export type TraceEntry = (
  entry: { readonly conversation: string; readonly seq: number },
  part: {
    readonly name: string
    readonly startedAt: number
    readonly root?: boolean
    readonly attributes?: Readonly<Record<string, string | number>>
  },
) => void

/** What the domain needs of the world outside it. */
export interface ChatPorts extends BudgetPorts {
  readonly logger: ChatLogger
  /** Sends an event on its way. Never throws, never waits: what is lost is healed by seq. */
  emit(emission: Emission): void
  /** Of these people, those who are probably not here: a hint, for the offline index. */
  presumedAbsent(users: readonly string[]): readonly string[]
  /** Missing when nothing is traced. */
  readonly trace?: TraceEntry
}

/** Every number that an operator may turn, with its default in `chatDefaults`. */
export interface ChatSettings extends BudgetSettings {
  /** Sends wait so long, counted from the flush before, to be committed together. */
  readonly commitWindowMs: number
  /** Entries in one commit. */
  readonly commitEntriesMax: number
  /** How much of the pool the reads of one person may hold at a time, in percent; one connection at the least. */
  readonly personPoolPercent: number
  /** Entries that wait for their commit; beyond it a send is refused with `overloaded`. */
  readonly commitQueueMax: number
  /** How long a send waits for a store that is away before it is refused with `unavailable`. */
  readonly commitWaitMs: number
  /** Receipts wait so long to be written together. */
  readonly receiptWindowMs: number
  /** Those who leave wait so long, for when they were last here to be written together. */
  readonly lastSeenWindowMs: number
  /** Receipts are told to the others in conversations up to this size. */
  readonly receiptFanoutMax: number
  /** Typing is told to the others in conversations up to this size. */
  readonly typingFanoutMax: number
  /** A conversation that grows past this many members is routed by interest and has no offline rows. */
  readonly largeConversationMin: number
  readonly largeSettleMs: number
  readonly membersCachedMax: number
  /** How often the store is asked for revoked sessions and for its epoch. */
  readonly pulseMs: number
  /** Password hashes under way at once. One takes a core for some 30 ms and 19 MiB. */
  readonly passwordHashesMax: number
  readonly passwordQueueMax: number
  /** Searches under way at once: each has a connection, and the others are for messages. */
  readonly searchesAtOnceMax: number
  readonly searchQueueMax: number
  /** A session that is not refreshed for so long ends. */
  readonly sessionIdleMs: number
  /** A session ends after so long, however often it is refreshed. */
  readonly sessionLifeMs: number
  /** Between asking for the end of an account and its erasure: so long it can be taken back. */
  readonly deletionGraceMs: number
  /** Between the two steps of an erasure, so that what was under way has ended. Longer than a pulse looks back. */
  readonly erasureSettleMs: number
  /** For so long after it was shown who one is, no fresh proof is asked for. */
  readonly proofLifeMs: number
  /** How long a visit at a sign-in provider may take. */
  readonly visitLifeMs: number
  /** How long the application has to take over what a visit has brought. */
  readonly visitGrantLifeMs: number
  /** A code by mail is good for so long after it was sent. */
  readonly codeLifeMs: number
  /** Guesses at the code of one request, however often it is sent. */
  readonly codeTriesMax: number
  /** How often the code of one request is sent. */
  readonly codeSendsMax: number
  /** The pause before the code is sent a second time. It doubles with each sending. */
  readonly codeResendMs: number
  /** Requests for the same that one address has open; the oldest goes. */
  readonly codesOpenMax: number
  /** What the deployment is called: no password may be that. */
  readonly deploymentName: string
  /** What happens to an account within so long after a mail about it is told by one more. */
  readonly securityMailWindowMs: number
  /** Whether a worker sends mail. Without it nothing that needs an address can be begun. */
  readonly mail: boolean
  /** Who may make an account. Whoever shows a good invitation may, unless nobody may. */
  readonly registration: RegistrationMode
  /** Those whose proved address is in one of these domains may register, where the mode is `domain`. In A-labels. */
  readonly registrationDomains: readonly string[]
  /** Whether everybody may invite, or operators only. */
  readonly invitationsFrom: 'people' | 'operators'
  /** Good invitations that one person may have. */
  readonly invitationsMax: number
  /** How often one of theirs may be used. */
  readonly invitationUsesMax: number
  /** How long an invitation is good that says nothing else. */
  readonly invitationLifeMs: number
  /** Names of which nobody's may be made, beside those that are reserved anyway. */
  readonly reservedNames: readonly string[]
  /** Nobody else gets a username for so long after it was given up, or its owner was erased. */
  readonly nameHeldMs: number
  /** Who may put people into conversations without asking them first, where they have not said so themselves. */
  readonly directFrom: DirectFrom
  /** What people may say about that themselves; for who has said anything else, `directFrom` counts. */
  readonly directFromAllowed: readonly DirectFrom[]
  /** Messages of a direct conversation before the other has accepted it. As many as fit into one answer. */
  readonly requestMessagesMax: number
  /** For so long nobody asks somebody again into a group that they have declined. */
  readonly requestPauseMs: number
  /** People whom one person asks into conversations at one time, and conversations into which one person is asked. */
  readonly conversationRequestsSentMax: number
  readonly conversationRequestsReceivedMax: number
  /** Conversations that one person may be in. */
  readonly conversationsMax: number
  /** Members of one group. */
  readonly groupMembersMax: number
  readonly contactsMax: number
  /** Contact requests that one person has open, and that are open to one person. */
  readonly contactRequestsSentMax: number
  readonly contactRequestsReceivedMax: number
  /** People whom one person may have blocked. */
  readonly blocksMax: number
  /** Push devices of one person; the longest unseen goes. */
  readonly devicesMax: number
  /** Sign-ins of one person; the longest unseen ends. */
  readonly sessionsMax: number
  /** A push waits so long, for somebody who is only just reconnecting. */
  readonly pushDelayMs: number
  /** Of one conversation no device gets a second push within so long: what comes meanwhile is gathered. */
  readonly pushCollapseMs: number
  /** What one attempt to send a push may take. */
  readonly pushSendMs: number
  readonly pushAttemptsMax: number
  /** Between two attempts: doubled each time, up to the second one. */
  readonly pushRetryMs: { readonly first: number; readonly max: number }
  /** Whether a push may name people and groups at all. Everybody may also choose that for themselves. */
  readonly pushNames: boolean
}

const dayMs = 86_400_000
/** A pulse that is not answered for so long is given up and begun anew, on another connection: revocations must be heard. */
const pulseAnswerMs = 1_000

export const chatDefaults: ChatSettings = {
  commitWindowMs: 8,
  commitEntriesMax: 256,
  personPoolPercent: 25,
  commitQueueMax: 20_000,
  commitWaitMs: 10_000,
  receiptWindowMs: 500,
  lastSeenWindowMs: 2_000,
  messagesPerSecond: 20,
  messagesBurst: 200,
  fanoutPerSecond: 10_000,
  fanoutBurst: 50_000,
  storedBytesPerDayMax: 100_000_000,
  receiptFanoutMax: 100,
  typingFanoutMax: 100,
  largeConversationMin: 1_000,
  largeSettleMs: 15_000,
  membersCachedMax: 1_000_000,
  pulseMs: 1_000,
  passwordHashesMax: 2,
  passwordQueueMax: 200,
  searchesAtOnceMax: 2,
  searchQueueMax: 20,
  sessionIdleMs: 30 * dayMs,
  sessionLifeMs: 180 * dayMs,
  deletionGraceMs: 30 * dayMs,
  erasureSettleMs: 60_000,
  proofLifeMs: 10 * 60_000,
  visitLifeMs: 10 * 60_000,
  visitGrantLifeMs: 60_000,
  codeLifeMs: 10 * 60_000,
  codeTriesMax: 5,
  codeSendsMax: 5,
  codeResendMs: 30_000,
  codesOpenMax: 3,
  deploymentName: 'Flotilla',
  securityMailWindowMs: 5 * 60_000,
  mail: true,
  registration: 'open',
  registrationDomains: [],
  invitationsFrom: 'operators',
  invitationsMax: 10,
  invitationUsesMax: 10,
  invitationLifeMs: 14 * dayMs,
  reservedNames: [],
  nameHeldMs: 90 * dayMs,
  directFrom: 'known',
  directFromAllowed: directFroms,
  requestMessagesMax: 5,
  requestPauseMs: 7 * dayMs,
  conversationRequestsSentMax: 200,
  conversationRequestsReceivedMax: 500,
  conversationsMax: 5_000,
  groupMembersMax: limits.groupMembersMax,
  contactsMax: 5_000,
  contactRequestsSentMax: 100,
  contactRequestsReceivedMax: 500,
  blocksMax: 5_000,
  devicesMax: 20,
  sessionsMax: 50,
  pushDelayMs: 2_000,
  pushCollapseMs: 30_000,
  pushSendMs: 10_000,
  pushAttemptsMax: 12,
  pushRetryMs: { first: 1_000, max: 15 * 60_000 },
  pushNames: true,
}

export interface ChatContext extends Omit<ChatPorts, keyof BudgetPorts> {
  /** What time it is, by the clock of the store. For durations there is performance.now(). */
  readonly clock: () => number
  /** How far the clock of this machine is ahead of the store's. */
  readonly clockSkewMs: () => number
  readonly settings: ChatSettings
  readonly pool: Pool
  readonly db: NodePgDatabase<typeof schema>
  readonly seal: Sealer
  readonly spending: Spending
  readonly memberships: Memberships
  readonly inserts: Inserts
  readonly receipts: Receipts
  readonly lastSeen: LastSeen
  readonly passwords: Passwords
  readonly searches: Seats
  readonly admissions: Admissions
  readonly pulse: Pulse
  readonly restrictions: Restrictions
  readonly turns: Turns
  /** The store's epoch, as of the last pulse. */
  epoch(): number
  /** Writes what waits, stops the timers. The pool stays open: it is the caller's. */
  close(): Promise<void>
}

export interface ChatOptions extends ChatPorts {
  readonly pool: Pool
  /** Missing where time is that of the store, as it is in every process. */
  readonly clock?: StoreClock
  readonly masterKeys: readonly MasterKey[]
  /** A batch of so many entries came to its end, so long after it was sent. For metrics. */
  readonly onCommit?: (entries: number, ms: number) => void
  readonly settings?: Partial<ChatSettings>
}

/** Opens the domain on a migrated database. */
export async function createChat(options: ChatOptions): Promise<ChatContext> {
  const { pool, logger } = options
  const settings = { ...chatDefaults, ...options.settings }
  const clock = options.clock ?? createStoreClock({ logger })
  const memberships = createMemberships({ pool, ...settings })
  const seal = await createSealer(pool, options.masterKeys)
  const lane = createLane(pool, pulseAnswerMs, logger)
  const pulse = await createPulse({
    pool: lane,
    logger,
    clock,
    pulseMs: settings.pulseMs,
    onNewEpoch() {
      memberships.clear()
      seal.keepKey()
    },
  })
  const inserts = createInserts({ pool, logger, onCommit: options.onCommit, epoch: () => pulse.epoch(), ...settings })
  pulse.onChanged(changes => {
    for (const { conversation, version } of changes) memberships.drop(conversation, version)
  })
  pulse.onOverrun(() => memberships.clear())
  const admissions = createAdmissions({ pool })
  pulse.onRevoked(sessions => admissions.forget(sessions))
  const restrictions = createRestrictions({ pool })
  pulse.onHidden(users => restrictions.forget(users))
  const receipts = createReceipts({
    pool,
    logger,
    windowMs: settings.receiptWindowMs,
    onRead: risen => readAlong(options, risen),
  })
  const lastSeen = createLastSeen({ pool, logger, windowMs: settings.lastSeenWindowMs })
  return {
    clock: () => clock.now(),
    clockSkewMs: () => clock.skewMs(),
    logger,
    emit: options.emit,
    presumedAbsent: options.presumedAbsent,
    ...(options.trace === undefined ? {} : { trace: options.trace }),
    settings,
    pool,
    db: drizzle(pool, { schema }),
    seal,
    spending: createSpending(settings, options),
    memberships,
    inserts,
    receipts,
    lastSeen,
    passwords: createPasswords(settings),
    searches: createSeats({ atOnceMax: settings.searchesAtOnceMax, queueMax: settings.searchQueueMax }),
    admissions,
    restrictions,
    turns: createTurns(pool, settings.personPoolPercent),
    pulse,
    epoch: () => pulse.epoch(),
    async close() {
      pulse.stop()
      if (!lane.ending) void lane.end()
      await Promise.all([inserts.close(), receipts.close(), lastSeen.close()])
    },
  }
}
