/**
 * The log as people read it in a terminal: a line for each event, the time of day and the level in front, fields behind.
 * It is made from the JSON lines, so that what is kept out of these is kept out here too.
 */
import { type DestinationStream, pino } from 'pino'
import type { DescribedError } from './log-errors.ts'

/** Said in every line, and the same in all of one process. */
const untold = new Set(['level', 'time', 'pid', 'hostname', 'name', 'msg', 'err'])
const errorLevel = pino.levels.values['error'] ?? 50
const levelWidth = 5

/** Writes plain lines where a logger would write JSON. */
export const plainLines = (output: { write(text: string): unknown }): DestinationStream => ({
  write: line => void output.write(`${plainLine(line)}\n`),
})

function plainLine(line: string): string {
  const event = JSON.parse(line) as Readonly<Record<string, unknown>>
  const level = Number(event['level'])
  const time = new Date(Number(event['time'])).toTimeString().slice(0, 8)
  const fields = Object.entries(event).filter(([name]) => !untold.has(name))
  const words = [
    time,
    (pino.levels.labels[level] ?? String(level)).toUpperCase().padEnd(levelWidth),
    event['msg'],
    ...fields.map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`),
  ]
  const error = event['err'] as DescribedError | undefined
  const told = error === undefined ? [] : errorLines(error, level >= errorLevel)
  return harmless([words.join(' '), ...told].join('\n'))
}

/** Where it happened is for faults; a warning has its reason. */
function errorLines(error: DescribedError, withStack: boolean): string[] {
  const { type, message, stack, cause } = error
  return [
    `  ${type}: ${message}`,
    ...(withStack && stack !== '' ? [stack] : []),
    ...(cause === undefined ? [] : errorLines(cause, withStack)),
  ]
}

/** What others wrote must not move the cursor of a terminal. */
const harmless = (text: string) => text.replaceAll(/[^\P{Cc}\n]/gu, ' ')
