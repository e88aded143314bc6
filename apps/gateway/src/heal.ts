/**
 * Something may have been lost on the way to this node: tell the devices that are here where their conversations stand.
 * A device that has less fetches the rest; one that has it all does nothing. The store is asked in chunks with pauses, at
 * most one round at a time, and until it answers. How far back is counted by this process's own clock and applied to the
 * store's, so it does not matter what time either thinks it is.
 */
import { performance } from 'node:perf_hooks'
import { type ChatContext, sync } from '@flotilla/chat'
import type { Logger } from '@flotilla/service'
import { headsFrames } from './heads-frames.ts'
import type { Hub } from './hub.ts'

/** A commit takes a moment until it is seen, and may stand behind a lock. */
const marginMs = 5_000
const retryMs = 1_000
/** Between two chunks: a round of 20,000 people is spread over a second. */
const chunkPauseMs = 20

export interface Healer {
  /** @param ageMs how long ago it may have begun */
  suspect(ageMs: number): void
  readonly stats: { rounds: number; heads: number }
  stop(): void
}

export function createHealer(chat: ChatContext, hub: Hub, logger: Logger): Healer {
  const stats = { rounds: 0, heads: 0 }
  /** By performance.now(). */
  let since: number | undefined
  let running = false
  let stopped = false
  const isStopped = () => stopped
  const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

  async function round(from: number) {
    stats.rounds++
    const epoch = chat.epoch()
    const ageMs = performance.now() - from + marginMs
    for await (const moved of sync.movedSince(chat, [...hub.users()], ageMs)) {
      for (const [user, heads] of moved) {
        stats.heads += heads.length
        for (const frame of headsFrames(epoch, heads)) hub.tell(user, frame)
      }
      if (isStopped()) return
      await pause(chunkPauseMs)
    }
  }

  async function run() {
    running = true
    while (since !== undefined && !isStopped()) {
      const from = since
      since = undefined
      try {
        await round(from)
        logger.info({ ageMs: Math.round(performance.now() - from), ...stats }, 'heads sent to local devices')
      } catch (error) {
        since = Math.min(from, since ?? from)
        logger.warn({ err: error }, 'unable to read heads; retrying')
        await pause(retryMs)
      }
    }
    running = false
  }

  return {
    suspect(ageMs) {
      const from = performance.now() - ageMs
      since = Math.min(from, since ?? from)
      if (!running) void run()
    },
    stats,
    stop() {
      stopped = true
    },
  }
}
