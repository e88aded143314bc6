/** Work that is looked for again and again: at once while there is more, soon after there was some, else less often. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '@flotilla/service'

/** What a turn found: as much as it could take, some, or nothing. */
export type Turn = 'more' | 'some' | 'none'

/** Of a turn that found so many, and could take `max`. */
export const turnOf = (count: number, max: number): Turn => (count >= max ? 'more' : count > 0 ? 'some' : 'none')

export interface LoopOptions {
  /** For the log: `mail and files` */
  readonly name: string
  turn(): Promise<Turn>
  readonly logger: Logger
  readonly random: () => number
  /** After a turn that found some. */
  readonly busyMs: number
  /** The longest pause while there is nothing. */
  readonly idleMs: number
}

export interface Loop {
  /** Begins no further turn; answers when the present one has ended. */
  stop(): Promise<void>
}

/** While there is more: what comes free in so long is taken together. */
const moreMs = 10
/** After turns that failed. */
const failedMsMax = 10_000

export function startLoop(options: LoopOptions): Loop {
  const { logger, busyMs, idleMs } = options
  const stopping = new AbortController()
  /** Several workers must not ask in step. */
  const jittered = (ms: number) => ms * (0.75 + options.random() / 2)

  async function run() {
    let pauseMs = busyMs
    for (let failures = 0; !stopping.signal.aborted; ) {
      try {
        const turn = await options.turn()
        failures = 0
        pauseMs = turn === 'more' ? moreMs : turn === 'some' ? busyMs : Math.min(Math.max(pauseMs, busyMs) * 2, idleMs)
      } catch (error) {
        failures++
        pauseMs = Math.min(idleMs * 2 ** Math.min(failures, 10), failedMsMax)
        if (failures === 1) logger.warn({ err: error, loop: options.name }, 'worker loop failed')
      }
      await sleep(jittered(pauseMs), undefined, { signal: stopping.signal }).catch(() => {})
    }
  }

  const running = run()
  return {
    async stop() {
      stopping.abort()
      await running
    },
  }
}
