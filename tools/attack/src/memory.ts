/** The resident memory of the fleet's processes while an attack runs, as the kernel counts it. */
import { readFileSync } from 'node:fs'
import type { App, Watched } from './stand.ts'

/** What a process may take at most, whatever is done to it: half of what the chart allows its pod. */
export const residentBytesMax: Readonly<Record<App, number>> = {
  gateway: 512 * 2 ** 20,
  api: 512 * 2 ** 20,
  worker: 256 * 2 ** 20,
}

export interface MemoryWatch {
  /** Forgets what was. */
  mark(): void
  /** The most that each has had since; nothing where the kernel does not tell. */
  most(): ReadonlyMap<Watched, number>
  stop(): void
}

const lookMs = 200

export function watchMemory(processes: readonly Watched[]): MemoryWatch {
  const most = new Map<Watched, number>()
  const look = () => {
    for (const one of processes) {
      const bytes = residentBytes(one.pid())
      if (bytes !== undefined) most.set(one, Math.max(bytes, most.get(one) ?? 0))
    }
  }
  const timer = setInterval(look, lookMs)
  return {
    mark: () => most.clear(),
    most() {
      look()
      return most
    },
    stop: () => clearInterval(timer),
  }
}

/** Linux only: elsewhere nothing is known. */
function residentBytes(pid: number): number | undefined {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1_024
  } catch {
    return undefined
  }
}
