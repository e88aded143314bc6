/** The bench's side of a process of the load: calls it as if it were an object here. */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { onCore } from '../placement.ts'
import type { ProgramName, Programs } from './programs.ts'

type Program<N extends ProgramName> = InstanceType<Programs[N]>
type Method<P> = { [K in keyof P]: P[K] extends (...args: never[]) => unknown ? K : never }[keyof P]
type Args<F> = F extends (...args: infer A) => unknown ? A : never
type Answer<F> = F extends (...args: never[]) => infer R ? Awaited<R> : never

export interface Load<N extends ProgramName> {
  readonly pid: number
  /** @throws Error when the call failed there or the process has ended */
  call<M extends Method<Program<N>>>(method: M, ...args: Args<Program<N>[M]>): Promise<Answer<Program<N>[M]>>
  stop(): Promise<void>
}

interface Reply {
  readonly id: number
  readonly value?: unknown
  readonly error?: string
}

/** Starts a process with a program and its plan. */
export async function startLoad<N extends ProgramName>(
  name: N,
  plan: ConstructorParameters<Programs[N]>[0],
  core: number,
): Promise<Load<N>> {
  const main = fileURLToPath(new URL('./main.ts', import.meta.url))
  const [command, ...args] = [...onCore(core), process.execPath, '--conditions=source', main, name]
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], serialization: 'advanced' })
  const call = caller(child, name)
  await call('open', [plan])
  return {
    pid: child.pid!,
    call: (method, ...given) => call(String(method), given) as Promise<never>,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = new Promise(resolve => child.once('exit', resolve))
      child.disconnect()
      await gone
    },
  }
}

function caller(child: ChildProcess, name: string): (method: string, args: readonly unknown[]) => Promise<unknown> {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  let calls = 0
  const fail = (reason: string) => {
    for (const one of waiting.values()) one.reject(new Error(`unable to go on: the load ${name} ${reason}`))
    waiting.clear()
  }
  child.on('message', ({ id, value, error }: Reply) => {
    const one = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) one?.resolve(value)
    else one?.reject(new Error(`the load ${name} failed: ${error}`))
  })
  child.on('error', error => fail(`did not start: ${error.message}`))
  child.on('exit', (code, signal) => fail(`ended with ${code ?? signal}`))
  return (method, args) => {
    const id = ++calls
    const answer = Promise.withResolvers<unknown>()
    waiting.set(id, answer)
    if (child.connected) child.send({ id, method, args })
    else fail('has ended')
    return answer.promise
  }
}
