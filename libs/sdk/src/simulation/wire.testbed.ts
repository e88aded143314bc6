/** The near end of a socket: what a part of the client sends goes into a list, and the test gives the answers. */
import { Requests } from '../requests.ts'
import { SimClock } from './sim-clock.testbed.ts'

export interface Said {
  readonly id?: number
  readonly op: string
  readonly [field: string]: unknown
}

export interface Wire {
  readonly clock: SimClock
  readonly requests: Requests
  /** Takes what was said since the last call. */
  said(): Said[]
  open(): void
}

export function openWire(): Wire {
  const clock = new SimClock()
  const all: Said[] = []
  const requests = new Requests({
    clock,
    write: text => all.push(JSON.parse(text) as Said),
    timeoutMs: 1_000,
    queueMax: 100,
  })
  const open = () => requests.open({ frameBytesMax: 32_768, commandsPerSecond: 0, commandsBurst: 0 })
  open()
  return { clock, requests, said: () => all.splice(0), open }
}
