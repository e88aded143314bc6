/**
 * What a person's doings cost the others, and how much of it there may be. A message weighs as many people as it is told
 * to, a long one several times as many, and the bytes that it is stored in; receipts and typing weigh the people who hear of them. What the budgets are
 * kept in is a port: the nodes of the fleet share them, and nothing here waits for it.
 */
import { Refusal } from '@flotilla/protocol'
import type { Budget, BudgetPorts, Charge } from '../ports.ts'

export interface BudgetSettings {
  /** Messages of one person in one conversation, a second, lasting, and at once. */
  readonly messagesPerSecond: number
  readonly messagesBurst: number
  /** People told by one person's messages, a second, lasting, and at once; as many again by receipts and typing. */
  readonly fanoutPerSecond: number
  readonly fanoutBurst: number
  /** What one person's messages may take in the store, a day. */
  readonly storedBytesPerDayMax: number
}

/** A message that is longer tells each of its people as many times as it holds so much: 24 kB for 500 are 12 MB to write. */
const toldBytes = 2_048
/** A row besides its body: its columns, its header and its places in two indexes. */
const rowBytes = 200
const dayS = 86_400

export interface Spending {
  /**
   * Pays for a message, before anything is written.
   * @param people how many are told
   * @param bytes of its body
   * @throws Refusal rate_limited, quota_exceeded
   */
  message(by: string, conversation: string, people: number, bytes: number): void
  /** Pays for a change of a conversation in the same way. @throws Refusal rate_limited */
  change(by: string, conversation: string, people: number): void
  /** Pays for telling people what can be left out. @returns whether they are told */
  notice(by: string, people: number): boolean
}

export function createSpending(settings: BudgetSettings, ports: BudgetPorts): Spending {
  const { spendAll, connectionsOf = () => 0 } = ports
  if (spendAll === undefined) return { message() {}, change() {}, notice: () => true }
  const { fanoutPerSecond: perSecond, fanoutBurst: burst, storedBytesPerDayMax } = settings
  const messages: Budget = { name: 'messages', perSecond: settings.messagesPerSecond, burst: settings.messagesBurst }
  const fanout: Budget = { name: 'fanout', perSecond, burst }
  const notices: Budget = { name: 'notices', perSecond, burst }
  const stored: Budget = { name: 'stored', perSecond: storedBytesPerDayMax / dayS, burst: storedBytesPerDayMax }

  function pay(charges: readonly Charge[]): void {
    const lack = spendAll!(charges)
    if (lack === undefined) return
    const { budget, retryMs } = lack
    if (budget === stored)
      throw new Refusal('quota_exceeded', undefined, { retryMs, rule: `storedBytesPerDayMax ${storedBytesPerDayMax}` })
    throw new Refusal('rate_limited', undefined, { retryMs, rule: `${budget.name}PerSecond ${budget.perSecond}` })
  }
  const telling = (by: string, conversation: string, people: number, times = 1): Charge[] => [
    { budget: messages, who: by + conversation, count: 1 },
    { budget: fanout, who: by, count: (people + connectionsOf(by)) * times },
  ]
  return {
    message(by, conversation, people, bytes) {
      const times = Math.ceil(bytes / toldBytes)
      pay([...telling(by, conversation, people, times), { budget: stored, who: by, count: bytes + rowBytes }])
    },
    change: (by, conversation, people) => pay(telling(by, conversation, people)),
    notice: (by, people) => spendAll([{ budget: notices, who: by, count: people + connectionsOf(by) }]) === undefined,
  }
}
