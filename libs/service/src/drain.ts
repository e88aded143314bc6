/**
 * How a process ends: the first SIGTERM or SIGINT runs the steps in order, a second one or the deadline ends it at
 * once. An error that nobody caught is logged and ends the process through the same steps, because what state it left
 * is unknown.
 */
import type { Logger } from './logger.ts'

export interface DrainStep {
  readonly name: string
  run(): Promise<void> | void
}

export interface DrainOptions {
  readonly logger: Logger
  /** After this the process exits with 1, whatever the steps are doing. */
  readonly drainMsMax: number
  /**
   * Run one after the other; one that fails is logged and does not keep the next from running. They are looked at when
   * the end begins: a process that is still starting installs this first, and adds its parts when it has them.
   */
  readonly steps: readonly DrainStep[]
  /** What ends the process; `process.exit` unless a test says otherwise. */
  readonly exit?: (code: number) => void
}

/** npm passes on what the terminal has sent already: signals so close together are one press of Ctrl-C. */
const sameSignalMs = 500

/** Installs the handlers. Returns a function that starts the same end from inside. */
export function drainOnSignal(options: DrainOptions): (reason: string, code?: number) => Promise<void> {
  const exit = options.exit ?? (code => process.exit(code))
  let ending: Promise<void> | undefined
  let signalledAt = 0
  const end = (reason: string, code = 0): Promise<void> => {
    if (ending !== undefined) return ending
    options.logger.info({ reason }, 'drain started')
    const deadline = setTimeout(() => {
      options.logger.error({ drainMsMax: options.drainMsMax }, 'drain timed out')
      exit(1)
    }, options.drainMsMax)
    deadline.unref()
    ending = (async () => {
      for (const step of options.steps) {
        try {
          await step.run()
        } catch (error) {
          options.logger.error({ err: error, step: step.name }, 'drain step failed')
        }
      }
      clearTimeout(deadline)
      options.logger.info('drain completed')
      exit(code)
    })()
    return ending
  }
  const onSignal = (signal: string) => {
    const sinceMs = performance.now() - signalledAt
    if (ending === undefined) {
      signalledAt = performance.now()
      void end(signal)
    } else if (sinceMs > sameSignalMs) exit(1)
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  const onFault = (kind: string) => (error: unknown) => {
    options.logger.fatal({ err: error }, kind)
    void end(kind, 1)
  }
  process.on('uncaughtException', onFault('uncaught exception'))
  process.on('unhandledRejection', onFault('unhandled rejection'))
  return end
}
