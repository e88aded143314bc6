/**
 * Programs in processes of their own, called as if they were objects here: what makes load must not share an event loop
 * with what measures, nor with the test. The process does what it is asked, call by call, until its caller lets go of
 * it or is gone.
 */
import { type ChildProcess, spawn } from 'node:child_process'

type Method<P> = { [K in keyof P]: P[K] extends (...args: never[]) => unknown ? K : never }[keyof P]
type Args<F> = F extends (...args: infer A) => unknown ? A : never
type Answer<F> = F extends (...args: never[]) => infer R ? Awaited<R> : never

export interface Remote<P> {
  readonly pid: number
  /** @throws Error when the call failed there or the process has ended */
  call<M extends Method<P>>(method: M, ...args: Args<P[M]>): Promise<Answer<P[M]>>
  stop(): Promise<void>
}

export interface RemoteOptions {
  /** For errors. */
  readonly name: string
  /** A file that calls `serveCalls`. */
  readonly main: string
  readonly args?: readonly string[]
  /** Put before the command: `['taskset', '-c', '0']`. */
  readonly launcher?: readonly string[]
  /** What the program is opened with. */
  readonly plan: unknown
}

interface Call {
  readonly id: number
  readonly method: string
  readonly args: readonly unknown[]
}

interface Reply {
  readonly id: number
  readonly value?: unknown
  readonly error?: string
}

/** Starts a process and opens its program. */
export async function startRemote<P>(options: RemoteOptions): Promise<Remote<P>> {
  const { name, main, args: given = [], launcher = [], plan } = options
  const [command = '', ...args] = [...launcher, process.execPath, '--conditions=source', main, ...given]
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], serialization: 'advanced' })
  const call = caller(child, name)
  await call('open', [plan])
  return {
    pid: child.pid!,
    call: (method, ...rest) => call(String(method), rest) as Promise<never>,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = new Promise(resolve => child.once('exit', resolve))
      if (child.connected) child.disconnect()
      await gone
    },
  }
}

function caller(child: ChildProcess, name: string): (method: string, args: readonly unknown[]) => Promise<unknown> {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  let calls = 0
  const fail = (reason: string) => {
    for (const one of waiting.values()) one.reject(new Error(`unable to go on: the process ${name} ${reason}`))
    waiting.clear()
  }
  child.on('message', ({ id, value, error }: Reply) => {
    const one = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) one?.resolve(value)
    else one?.reject(new Error(`the process ${name} failed: ${error}`))
  })
  child.on('error', error => fail(`did not start: ${error.message}`))
  child.on('exit', (code, signal) => fail(`ended with ${code ?? signal}`))
  return (method, args) => {
    const id = ++calls
    const answer = Promise.withResolvers<unknown>()
    waiting.set(id, answer)
    if (child.connected) child.send({ id, method, args } satisfies Call)
    else fail('has ended')
    return answer.promise
  }
}

/** The side of the process: answers the calls of the one that started it with a program that the plan makes. */
export function serveCalls(open: (plan: never) => object): void {
  let program: object | undefined
  const answer = async ({ id, method, args }: Call) => {
    try {
      let value: unknown
      if (method === 'open') program = open(args[0] as never)
      else value = await (program as Record<string, (...given: unknown[]) => unknown>)[method]!(...args)
      process.send!({ id, value } satisfies Reply)
    } catch (error) {
      process.send!({
        id,
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      } satisfies Reply)
    }
  }
  process.on('message', (call: Call) => void answer(call))
  process.on('disconnect', () => process.exit())
}
