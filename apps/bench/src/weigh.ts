/** What servers hold in memory, once they have let go of what they need no more. */
import { setTimeout as pause } from 'node:timers/promises'
import { Redis } from 'ioredis'
import type { Ground } from './bed.ts'
import { collectGarbage } from './collect-garbage.ts'
import { kernelMemory, memoryBytes } from './processes.ts'
import type { Stand } from './sides/side.ts'

/** In bytes. */
export interface Weight {
  /** Of the side's own processes, in their order. */
  readonly processes: readonly number[]
  /** By its own count. */
  readonly redis: number
  /** Of the whole machine: its slab and TCP memory. */
  readonly kernel: number
}

/** @param stand started with `inspect` */
export async function weigh(stand: Stand, ground: Ground): Promise<Weight> {
  // The second collection takes what the first one's finalizers let go.
  for (let round = 0; round < 2; round++) {
    for (const server of stand.processes) await collectGarbage(server.debuggerUrl)
    await pause(1_000)
  }
  const { slab, tcp } = kernelMemory()
  return {
    processes: stand.processes.map(server => memoryBytes(server.pid)),
    redis: await redisBytes(ground.redisUrl),
    kernel: slab + tcp,
  }
}

async function redisBytes(url: string): Promise<number> {
  const redis = new Redis(url)
  const info = await redis.info('memory')
  redis.disconnect()
  return Number(/^used_memory:(\d+)/m.exec(info)?.[1] ?? 0)
}
