/** Starts servers as processes of their own: PostgreSQL, Redis, nodes. Their output goes to a file, which costs nothing. */
import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { hold, letGo } from './reaper.ts'
import { until } from './until.ts'

export interface ProcessOptions {
  readonly command: string
  readonly args: readonly string[]
  /** Where the log goes, and the working directory. */
  readonly folder: string
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly uid?: number
  readonly gid?: number
  /** Put before the command, for placement: `['taskset', '-c', '0']`. */
  readonly launcher?: readonly string[]
  /** Asked again and again until it is true; a throw counts as not yet. On a port, make sure that it is this very process. */
  ready(pid: number): Promise<boolean>
  readonly readyWithinMs?: number
}

export interface StartedProcess {
  readonly pid: number
  running(): boolean
  /** Resolves with the exit code or the signal's name. */
  readonly exited: Promise<number | string>
  signal(signal: NodeJS.Signals): void
  /** Signals and waits for the end; after `withinMs` it is SIGKILL. */
  end(signal: NodeJS.Signals, withinMs?: number): Promise<void>
  /** The last part of what it has written. */
  log(): string
  /** Where all of it is. */
  readonly logFile: string
}

const logBytesMax = 4_000

/** Starts a process and waits until it is ready. It ends at the latest together with the present process. */
export async function startProcess(options: ProcessOptions): Promise<StartedProcess> {
  const [command = '', ...args] = [...(options.launcher ?? []), options.command, ...options.args]
  const logFile = join(options.folder, 'log')
  const logHandle = openSync(logFile, 'a')
  // A group of its own: Ctrl-C in the terminal must not reach it before the tests' own tear-down does.
  const child = spawn(command, args, {
    cwd: options.folder,
    env: { ...process.env, ...options.env },
    detached: true,
    stdio: ['ignore', logHandle, logHandle],
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.gid === undefined ? {} : { gid: options.gid }),
  })
  closeSync(logHandle)
  child.unref()
  let failure: Error | undefined
  let ended = false
  const exited = new Promise<number | string>(resolve => {
    const finish = (how: number | string) => {
      ended = true
      if (child.pid !== undefined) {
        letGo(child.pid)
        endGroup(child.pid)
      }
      resolve(how)
    }
    child.on('exit', (code, signal) => finish(code ?? signal ?? 'unknown'))
    child.on('error', error => {
      failure = error
      if (child.pid === undefined) finish('not started')
    })
  })
  if (child.pid !== undefined) hold(child.pid)

  const log = () => readFileSync(logFile, 'utf8').slice(-logBytesMax)
  const started: StartedProcess = {
    pid: child.pid ?? 0,
    running: () => !ended,
    exited,
    signal(signal) {
      if (!ended) child.kill(signal)
    },
    async end(signal, withinMs = 10_000) {
      if (ended) return
      child.ref()
      child.kill(signal)
      const late = setTimeout(() => child.kill('SIGKILL'), withinMs)
      await exited
      clearTimeout(late)
    },
    log,
    logFile,
  }
  await waitUntilReady(options, started, () => failure)
  return started
}

async function waitUntilReady(options: ProcessOptions, started: StartedProcess, failure: () => Error | undefined) {
  const name = options.command.split('/').at(-1)
  try {
    const ready = await until(async () => (started.running() ? options.ready(started.pid) : 'ended'), {
      what: `${name} is ready`,
      withinMs: options.readyWithinMs ?? 60_000,
    })
    if (ready === 'ended') throw failure() ?? new Error(`it ended with ${await started.exited}`)
  } catch (error) {
    await started.end('SIGKILL')
    throw new Error(`unable to start ${name}: ${String(error)}\n${started.log()}`, { cause: error })
  }
}

/** What the process had started itself and left behind: it leads a group of its own. */
function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Nobody is left.
  }
}

/**
 * Below the ports that the system gives to outgoing connections, so that a server finds its port free when it is restarted;
 * and no wider than 10,000, since the node of a Redis Cluster listens on its port + 10,000 as well.
 */
const portMin = 10_240
const shareSize = 500
const shares = 20

/** Test files that run side by side draw from shares of their own: between a look and a start there are seconds. */
const share = Number(process.env['VITEST_POOL_ID'] ?? process.pid) % shares
let nextPort = Math.floor(Math.random() * shareSize)

/** A port on loopback that nobody listens on, and that this process has not been given lately. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = portMin + share * shareSize + (nextPort++ % shareSize)
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)))
  })
}
