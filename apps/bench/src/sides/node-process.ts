/** Starts a server written in JavaScript as a process of its own, on its core. */
import { dropFolder, makeFolder, startProcess } from '@flotilla/testing'
import { onCore } from '../placement.ts'
import { cpuSeconds } from '../processes.ts'

export interface NodeProcess {
  readonly name: string
  readonly pid: number
  cpuSeconds(): number
  /** Where its debugger listens, if it has one. */
  readonly debuggerUrl: string | undefined
  stop(): Promise<void>
}

export interface NodeProcessOptions {
  readonly name: string
  readonly file: string
  readonly core: number
  /** Runs from the sources of the project rather than from what was built. */
  readonly fromSource: boolean
  readonly inspect: boolean
  readonly env: Readonly<Record<string, string>>
  ready(): Promise<boolean>
}

const stopWithinMs = 30_000
/**
 * For both sides alike, and what the gateway's own `npm start` uses: with 16 MB of young space, the default, a fifth of a
 * busy gateway is scavenging; with 64 MB it is a tenth. V8 begins to mark as soon as the old space has less room left than the
 * young one may take: a small heap is then collected wholly once a second, which 192 MB to begin with put off for a minute.
 * With 256 p99 from send to delivery was 94 ms beside 135 at 3,400 messages/s and 107 beside 129 at saturation, at 0.95 to 1.01 of
 * the CPU time (eight pairs).
 */
const engineFlags = ['--max-semi-space-size=64', '--initial-old-space-size=192']

export async function startNode(options: NodeProcessOptions): Promise<NodeProcess> {
  const folder = makeFolder(`bench-${options.name}`)
  const flags = [
    ...engineFlags,
    ...(options.fromSource ? ['--conditions=source'] : []),
    ...(options.inspect ? ['--inspect=127.0.0.1:0'] : []),
  ]
  const server = await startProcess({
    command: process.execPath,
    args: [...flags, options.file],
    folder,
    env: { NODE_ENV: 'production', ...options.env },
    launcher: onCore(options.core),
    ready: () => options.ready(),
    readyWithinMs: 30_000,
  })
  return {
    name: options.name,
    pid: server.pid,
    cpuSeconds: () => cpuSeconds(server.pid),
    // The first that it says, and in half an hour no longer part of what is read of its log.
    debuggerUrl: /Debugger listening on (ws:\S+)/.exec(server.log())?.[1],
    async stop() {
      await server.end('SIGTERM', stopWithinMs)
      dropFolder(folder)
    },
  }
}

/** Whether a URL answers with 200. */
export async function answers(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) })
  await response.arrayBuffer()
  return response.ok
}
