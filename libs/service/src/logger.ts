/** Structured logs: one JSON line an event, with what a person must not read in a log left out. */
import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino'

export type Logger = Pick<PinoLogger, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'child' | 'level'>

/** @param name of the process; it stands in every line */
export function createLogger(name: string, level: string, destination?: DestinationStream): Logger {
  const options = {
    name,
    level,
    redact: {
      paths: [
        'authorization',
        'password',
        'ticket',
        'refreshToken',
        'accessToken',
        '*.authorization',
        '*.password',
        '*.ticket',
        '*.refreshToken',
        '*.accessToken',
        'req.headers.authorization',
        'req.headers.cookie',
      ],
      censor: '[hidden]',
    },
  }
  return destination === undefined ? pino(options) : pino(options, destination)
}

/** Says nothing; for tests and for tools that print by themselves. */
export const silentLogger: Logger = pino({ level: 'silent' })
