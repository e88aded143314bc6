/**
 * A process of the load. The bench starts it with the name of a program and the process then does what it is asked,
 * one call after the other, until the bench lets go of it.
 */
import { type ProgramName, programs } from './programs.ts'

interface Call {
  readonly id: number
  readonly method: string
  readonly args: readonly unknown[]
}

let program: object | undefined

async function answer({ id, method, args }: Call): Promise<void> {
  try {
    let value: unknown
    if (method === 'open') program = new programs[process.argv[2] as ProgramName](args[0] as never)
    else value = await (program as Record<string, (...given: unknown[]) => unknown>)[method]!(...args)
    process.send!({ id, value })
  } catch (error) {
    process.send!({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
}

process.on('message', (call: Call) => void answer(call))
process.on('disconnect', () => process.exit())
