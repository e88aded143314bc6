/**
 * How much is too much. A budget has a name and is kept for each of those who take from it: a person, a target, a
 * network address. All nodes share it, in one of three ways:
 *
 * - `take` and `isWithin` count in a window and ask the store each time. Exact; for what waits for the store anyway: a
 *   request, a sign-in, a socket that opens. While the store is away, each process counts for itself.
 * - `Budgets.spend` never waits: it takes from a bucket of this node, and what was taken is settled afterwards with the
 *   bucket in the store, which tells what the others took. For the message path. With N nodes at most N bursts are
 *   taken at once; what was too much is a debt, so that over time it is the rate, whatever N. What somebody takes so
 *   slowly that it is never settled adds at most a 16th of the rate a node. While the store is away, each node has the
 *   whole rate.
 * - `Budgets.holding` is for what is given back, such as sockets: at most `max` over all nodes, and at most a 16th of
 *   it a node more, besides what comes within one period of telling.
 */
import { Refusal } from '@flotilla/protocol'
import type { Clock } from './clock.ts'
import type { Counters, Hit } from './counters.ts'
import { forgetOldest, setLatest } from './latest.ts'
import { type Rate, TokenBucket } from './token-bucket.ts'

/** So many within so long. */
export interface Limit {
  readonly max: number
  readonly windowMs: number
}

/** Counts one more of a key, or takes one back (−1), and says how many it is within the window. */
export type Counter = (key: string, windowMs: number, by?: 1 | -1) => Promise<Hit>

/** A budget that refills. Its object is what it is known by on this node, its name in the store. */
export interface Budget extends Rate {
  readonly name: string
}

/** So much of one budget, of one who takes from it. */
export interface Charge {
  readonly budget: Budget
  readonly who: string
  readonly count: number
}

/** The budget in which there is too little for longest, and for how long. */
export interface Lack {
  readonly budget: Budget
  readonly retryMs: number
}

/** Something that is held and given back, of which nobody may hold more than so many. Whoever uses it counts what is held here. */
export interface Holding {
  /** Says how many are held here now. Most hold so few that nothing of it is kept. */
  set(who: string, count: number): void
  /** How many other nodes were last heard to hold, if many are held here; else 0. */
  elsewhere(who: string): number
}

export interface Budgets {
  /** Takes without waiting. @returns 0, or the milliseconds until there is so much; then nothing was taken */
  spend(budget: Budget, who: string, count: number): number
  /** Takes all, or nothing and says what is lacking. */
  spendAll(charges: readonly Charge[]): Lack | undefined
  holding(name: string, max: number): Holding
  stop(): void
}

export const budgetDefaults = {
  /** What was spent is settled this often, where it is worth it. */
  settleMs: 500,
  /** What one node may spend of a burst before it is settled. */
  unsettledShare: 1 / 64,
  /**
   * Buckets that nobody takes from are looked at this often; what they still have to settle is, or is forgotten. More often
   * than clients ping: of 18,000 people who only ping, 5,400 have a bucket at a time; with 30 s it was 14,040.
   */
  sweepMs: 10_000,
  /** What is spent more slowly than this part of the rate is not worth settling. */
  forgottenShare: 1 / 16,
  /** Buckets that a node keeps; beyond it the oldest are forgotten. */
  accountsMax: 200_000,
  /** What the store says of a debt is believed up to so many bursts. */
  debtBurstsMax: 4,
  /** The others are told this often how many are held here, from this part of the most on. */
  holdMs: 3_000,
  heldShare: 1 / 16,
}

/** Keys that one process counts by itself; beyond it the oldest are forgotten. */
const localKeysMax = 50_000

function createLocalCounter(steady: () => number) {
  /** In the order of their last use: a Map keeps it. */
  const windows = new Map<string, { count: number; until: number }>()
  return (key: string, windowMs: number, by: 1 | -1 = 1): Hit => {
    const now = steady()
    const known = windows.get(key)
    const current = known !== undefined && known.until > now ? known : { count: 0, until: now + windowMs }
    current.count += by
    setLatest(windows, key, current, localKeysMax)
    return { count: current.count, resetMs: current.until - now }
  }
}

/**
 * Counts together with the others when that can be done, alone otherwise. Never fails.
 * @param prefix before every key, so that kinds of process do not count on one account
 */
export function createCounter(
  node: { hit(key: string, windowMs: number, by?: 1 | -1): Promise<Hit | undefined> },
  prefix: string,
  steady = () => performance.now(),
): Counter {
  const local = createLocalCounter(steady)
  return async (key, windowMs, by) => {
    try {
      return (await node.hit(`${prefix}:${key}`, windowMs, by)) ?? local(key, windowMs, by)
    } catch {
      return local(key, windowMs, by)
    }
  }
}

/** Whether the key was taken at most `max` times within its window, with this one. */
export async function isWithin(counter: Counter, key: string, limit: Limit): Promise<boolean> {
  return (await counter(key, limit.windowMs)).count <= limit.max
}

/** @throws Refusal `rate_limited` when the key was taken more than `max` times within its window */
export async function take(counter: Counter, key: string, limit: Limit): Promise<void> {
  const { count, resetMs } = await counter(key, limit.windowMs)
  if (count > limit.max) throw tooOften(resetMs)
}

export function tooOften(resetMs: number): Refusal {
  return new Refusal('rate_limited', undefined, { retryMs: Math.max(1, Math.ceil(resetMs)) })
}

/** The bucket of one who takes from one budget, on this node. */
class Account extends TokenBucket<Budget> {
  readonly who: string
  unsettled = 0
  due = false

  constructor(budget: Budget, who: string) {
    super(budget)
    this.who = who
  }
}

export function createBudgets(options: {
  readonly node: string
  readonly counters: Pick<Counters, 'spend' | 'hold'>
  readonly clock: Clock
  readonly settings?: Partial<typeof budgetDefaults>
}): Budgets {
  const { clock } = options
  const settings = { ...budgetDefaults, ...options.settings }
  const ledger = createLedger(options.counters, () => clock.steady(), settings)
  const holdings = createHoldings(options.node, options.counters, settings)
  const ends = [
    every(clock, settings.settleMs, ledger.settle),
    every(clock, settings.sweepMs, ledger.sweep),
    every(clock, settings.holdMs, holdings.tell),
  ]
  return {
    spend: ledger.spend,
    spendAll: ledger.spendAll,
    holding: holdings.open,
    stop() {
      for (const end of ends) end()
    },
  }
}

/** Runs it again and again, each time so long after the last one has ended. */
function every(clock: Clock, ms: number, run: () => Promise<void> | void): () => void {
  let cancel = () => {}
  let ended = false
  async function round() {
    await run()
    next()
  }
  function next() {
    if (!ended) cancel = clock.after(ms, () => void round())
  }
  next()
  return () => {
    ended = true
    cancel()
  }
}

function createLedger(
  counters: Pick<Counters, 'spend'>,
  steady: () => number,
  settings: typeof budgetDefaults,
): Pick<Budgets, 'spend' | 'spendAll'> & { settle(): Promise<void>; sweep(): void } {
  const accounts = new Map<Budget, Map<string, Account>>()
  let size = 0
  let dues: Account[] = []

  function accountOf(budget: Budget, who: string): Account {
    let ofBudget = accounts.get(budget)
    if (ofBudget === undefined) accounts.set(budget, (ofBudget = new Map()))
    let account = ofBudget.get(who)
    if (account === undefined) {
      if (size >= settings.accountsMax) makeRoom()
      ofBudget.set(who, (account = new Account(budget, who)))
      size++
    }
    return account
  }

  const forget = ({ rate, who }: Account) => accounts.get(rate)!.delete(who) && size--

  /** Forgets the oldest of the budget with the most. */
  function makeRoom(): void {
    const [largest] = [...accounts.values()].sort((a, b) => b.size - a.size)
    if (largest !== undefined) size -= forgetOldest(largest)
  }

  function note(account: Account, count: number): void {
    account.unsettled += count
    if (account.unsettled >= account.rate.burst * settings.unsettledShare) fallDue(account)
  }

  function fallDue(account: Account): void {
    if (!account.due) dues.push(account)
    account.due = true
  }

  return {
    spend(budget, who, count) {
      const account = accountOf(budget, who)
      const waitMs = account.take(count, steady())
      if (waitMs === 0) note(account, count)
      return waitMs
    },
    spendAll(charges) {
      const now = steady()
      const paying = charges.map(({ budget, who, count }) => ({ account: accountOf(budget, who), count }))
      let lack: Lack | undefined
      for (const { account, count } of paying) {
        const retryMs = account.wait(count, now)
        if (retryMs > (lack?.retryMs ?? 0)) lack = { budget: account.rate, retryMs }
      }
      if (lack !== undefined) return lack
      for (const { account, count } of paying) {
        account.take(count, now)
        note(account, count)
      }
      return undefined
    },
    /** A store that does not answer is told nothing later on: meanwhile each node stood for itself. */
    async settle() {
      if (dues.length === 0) return
      const batch = dues
      dues = []
      await settleAccounts(counters, batch, settings.debtBurstsMax, steady)
    },
    sweep() {
      const now = steady()
      for (const [budget, ofBudget] of accounts) {
        const worthSettling = (budget.perSecond * settings.forgottenShare * settings.sweepMs) / 1_000
        for (const account of ofBudget.values()) {
          if (account.due || !account.isFull(now)) continue
          if (account.unsettled >= worthSettling) fallDue(account)
          else forget(account)
        }
      }
    },
  }
}

async function settleAccounts(
  counters: Pick<Counters, 'spend'>,
  batch: readonly Account[],
  debtBurstsMax: number,
  steady: () => number,
): Promise<void> {
  const spendings = batch.map(({ rate: budget, who, unsettled }) => ({
    key: `${budget.name}:${who}`,
    perSecond: budget.perSecond,
    burst: budget.burst,
    spent: unsettled,
  }))
  for (const account of batch) {
    account.unsettled = 0
    account.due = false
  }
  const answers = await counters.spend(spendings).catch(() => [])
  batch.forEach((account, at) => {
    const left = answers[at]
    if (left === undefined || !Number.isFinite(left)) return
    // What was let through while the question was under way, the store does not know yet.
    account.lower(Math.max(left, -debtBurstsMax * account.rate.burst) - account.unsettled, steady())
  })
}

function createHoldings(
  node: string,
  counters: Pick<Counters, 'hold'>,
  settings: typeof budgetDefaults,
): { open: Budgets['holding']; tell(): Promise<void> } {
  interface Held {
    count: number
    elsewhere: number
    told: boolean
  }
  const opened: { name: string; min: number; held: Map<string, Held> }[] = []

  async function tellOf({ name, min, held }: (typeof opened)[number]): Promise<void> {
    const asked = [...held]
    if (asked.length === 0) return
    const counts = new Map(asked.map(([who, { count }]) => [`${name}:${who}`, count >= min ? count : 0]))
    // While the store is away, each node counts for itself.
    const answers = await counters.hold(node, counts, settings.holdMs * 4).catch(() => [])
    asked.forEach(([who, one], at) => {
      const elsewhere = answers[at] ?? 0
      one.elsewhere = elsewhere >= 0 ? elsewhere : 0
      one.told = one.count >= min
      if (!one.told) held.delete(who)
    })
  }

  return {
    open(name, max) {
      const held = new Map<string, Held>()
      const min = Math.max(1, max * settings.heldShare)
      opened.push({ name, min, held })
      return {
        set(who, count) {
          const one = held.get(who)
          if (one !== undefined) one.count = count
          else if (count >= min) held.set(who, { count, elsewhere: 0, told: false })
        },
        elsewhere: who => held.get(who)?.elsewhere ?? 0,
      }
    },
    async tell() {
      await Promise.all(opened.map(tellOf))
    },
  }
}
