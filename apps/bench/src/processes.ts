/** What a process has used, as the kernel counts it: CPU seconds and memory. Linux only. */
import { readdirSync, readFileSync } from 'node:fs'

/** Linux counts CPU time for user space in hundredths of a second on every platform that Node runs on. */
const ticksPerSecond = 100

interface Stat {
  readonly parent: number
  /** User and system time of the process with all its threads. */
  readonly own: number
  /** The same of children that have ended and were waited for. */
  readonly ended: number
}

function readStat(pid: number): Stat | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return undefined
  }
  // The name stands in brackets and may hold anything; the state comes after it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const ticks = (at: number) => Number(fields[at]) / ticksPerSecond
  return { parent: Number(fields[1]), own: ticks(11) + ticks(12), ended: ticks(13) + ticks(14) }
}

/** CPU seconds of one process since it started. */
export function cpuSeconds(pid: number): number {
  const stat = readStat(pid)
  if (stat === undefined) throw new Error(`unable to read the CPU time of process ${pid}: it has ended`)
  return stat.own
}

/** CPU seconds of a process with its children, the ended ones too: PostgreSQL with all its backends. */
export function cpuSecondsOfTree(root: number): number {
  const stat = readStat(root)
  if (stat === undefined) throw new Error(`unable to read the CPU time of process ${root}: it has ended`)
  let sum = stat.own + stat.ended
  for (const name of readdirSync('/proc')) {
    const child = /^\d+$/.test(name) ? readStat(Number(name)) : undefined
    if (child?.parent === root) sum += child.own + child.ended
  }
  return sum
}

/** Memory that is the process's own, in bytes: its private pages, without those of shared libraries. */
export function memoryBytes(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0)
  return (kilobytes('Private_Clean') + kilobytes('Private_Dirty')) * 1_024
}

/** Memory of the kernel for the whole machine, in bytes. */
export interface KernelMemory {
  /** Structures: sockets, files, dentries. */
  readonly slab: number
  /** Bytes in the queues of TCP. */
  readonly tcp: number
}

export function kernelMemory(): KernelMemory {
  const slab = /^Slab:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'latin1'))
  const pages = /^TCP: .*\bmem (\d+)/m.exec(readFileSync('/proc/net/sockstat', 'latin1'))
  return { slab: Number(slab?.[1] ?? 0) * 1_024, tcp: Number(pages?.[1] ?? 0) * 4_096 }
}
