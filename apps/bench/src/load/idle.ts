/** Connections that do nothing but stay: signed in, present, and pinging as a client does. */
import type { Messenger } from './messenger.ts'
import { connectAll, createMessenger, type Fleet, keepPinging } from './messengers.ts'

export interface IdlePlan {
  readonly fleet: Fleet
  /** Which node of the fleet. */
  readonly node: number
  /** The number of the first person. */
  readonly first: number
  readonly connections: number
  readonly pingIntervalMs: number
}

/** One address has ports for some 28,000 connections to a server; so many leave room. */
const connectionsPerAddress = 10_000

export class IdleCrowd {
  private readonly plan: IdlePlan
  private readonly messengers: Messenger[] = []
  private lost = 0

  constructor(plan: IdlePlan) {
    this.plan = plan
  }

  async connect(): Promise<void> {
    const { fleet, node, first, connections } = this.plan
    await connectAll(connections, 64, async at => {
      const number = first + at
      const from = `127.0.0.${1 + Math.floor(number / connectionsPerAddress)}`
      const messenger = createMessenger(
        fleet,
        node,
        { number, from },
        {
          acked: () => {},
          received: () => {},
          refused: () => {},
          closed: () => void this.lost++,
        },
      )
      await messenger.connect()
      this.messengers.push(messenger)
    })
    keepPinging(this.messengers, this.plan.pingIntervalMs)
  }

  /** @returns how many are still connected */
  held(): number {
    return this.messengers.length - this.lost
  }
}
