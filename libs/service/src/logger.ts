/**
 * Structured logs: one JSON line an event. What a person must not read in a log is kept out twice: errors are told by a
 * list of fields, never whole, and names of secrets are blanked wherever they stand.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { type DestinationStream, type LoggerOptions, type Logger as PinoLogger, pino } from 'pino'
import { describeError, messageOf } from './log-errors.ts'

export type Logger = Pick<PinoLogger, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'child' | 'level'>

export type LogFields = Readonly<Record<string, string>>

const surrounding = new AsyncLocalStorage<LogFields>()

/**
 * Whatever is logged inside, however deep, carries these fields. A process that never calls it pays nothing; with it every
 * promise costs a little more, so a gateway names its connections in its lines itself.
 */
export const withLogFields = <T>(fields: LogFields, run: () => T): T => surrounding.run(fields, run)

const wellFormedId = /^[\w.:-]{8,64}$/

/** The id that a proxy gave to a request, if it is one that may stand in a log. */
export const requestIdOf = (header: unknown): string | undefined =>
  typeof header === 'string' && wellFormedId.test(header) ? header : undefined

const secrets = ['authorization', 'cookie', 'password', 'secret', 'ticket', 'token', 'refreshToken', 'accessToken']

/** @param name of the process; it stands in every line */
export function createLogger(name: string, level: string, destination?: DestinationStream): Logger {
  const options: LoggerOptions = {
    name,
    level,
    // Merged into by pino, so it has to be a new one.
    mixin: () => ({ ...surrounding.getStore() }),
    serializers: {
      err: describeError,
      // Of a request, its URL may hold a code or a ticket.
      req: ({ id, method }: { id?: unknown; method?: unknown }) => ({ id, method }),
      res: ({ statusCode }: { statusCode?: unknown }) => ({ statusCode }),
    },
    hooks: {
      // Without a message pino takes that of the error, whole.
      logMethod(given, log) {
        const [first, message] = given as unknown[]
        const error: unknown = first instanceof Error ? first : (first as { err?: unknown } | undefined)?.err
        if (message === undefined && error instanceof Error) log.call(this, first as object, messageOf(error))
        else log.apply(this, given)
      },
    },
    redact: {
      paths: ['', '*.', '*.headers.'].flatMap(prefix => secrets.map(secret => prefix + secret)),
      censor: '[hidden]',
    },
  }
  return destination === undefined ? pino(options) : pino(options, destination)
}

/** Says nothing; for tests and for tools that print by themselves. */
export const silentLogger: Logger = pino({ level: 'silent' })
