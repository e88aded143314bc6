/**
 * Errors for the log. Libraries hang onto an error whatever they had in hand: the parameters of a query, the row at fault,
 * the arguments of a Redis command, a whole answer with its tokens. So an error is told by a few fields that are known to
 * hold none of it, and its message loses the parts that quote.
 */

export interface DescribedError {
  readonly type: string
  readonly message: string
  readonly stack: string
  readonly cause?: DescribedError
  readonly errors?: readonly DescribedError[]
  /** `code`, and of PostgreSQL what is at fault by name. */
  readonly [field: string]: unknown
}

/** Codes and names of the schema. Never `detail`, `where` or `params`: rows and values. */
const told = [
  'code',
  'severity',
  'routine',
  'schema',
  'table',
  'column',
  'constraint',
  'syscall',
  'statusCode',
] as const

const messageGraphemesMax = 500
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })
/** Of it no more is looked at, however long one grapheme is. */
const messageUnitsMax = 2_000
const causesMax = 5
/** SQLSTATE class 22: something was wrong with a value, and the message says with which. */
const dataException = /^22[0-9A-Z]{3}$/

export function describeError(error: unknown): DescribedError | undefined {
  return error instanceof Error ? describe(error, 0) : error === undefined ? undefined : describe(notAnError(error), 0)
}

const notAnError = (thrown: unknown) => new Error(`${typeof thrown} was thrown`)

function describe(error: Error, depth: number): DescribedError {
  const fields = error as unknown as Readonly<Record<string, unknown>>
  const { cause } = error
  const errors: unknown = fields['errors']
  const deeper = depth < causesMax
  return {
    type: error.constructor.name,
    message: messageOf(error),
    ...Object.fromEntries(
      told.filter(name => /^(string|number)$/.test(typeof fields[name])).map(name => [name, fields[name]]),
    ),
    stack: framesOf(error),
    ...(deeper && cause instanceof Error ? { cause: describe(cause, depth + 1) } : {}),
    ...(deeper && Array.isArray(errors)
      ? {
          errors: errors
            .slice(0, causesMax)
            .filter((one): one is Error => one instanceof Error)
            .map(one => describe(one, depth + 1)),
        }
      : {}),
  }
}

/** What an error says, without what it quotes. */
export function messageOf(error: Error): string {
  let { message } = error
  // Drizzle puts the values behind the query.
  message = cutAt(message, '\nparams:')
  // Redis quotes what it did not understand.
  message = cutAt(message, 'with args beginning with')
  if (error instanceof SyntaxError) message = message.replace(/, ?[^]* is not valid JSON$/, ' is not valid JSON')
  const { code } = error as { code?: unknown }
  if (typeof code === 'string' && dataException.test(code)) message = message.replaceAll(/"[^]*"|: [^"]*$/g, '…')
  if (message.length <= messageGraphemesMax) return message
  const kept = Array.from(graphemes.segment(message.slice(0, messageUnitsMax)), ({ segment }) => segment)
  return kept.slice(0, messageGraphemesMax).join('').toWellFormed()
}

const cutAt = (text: string, mark: string) => (text.includes(mark) ? text.slice(0, text.indexOf(mark)) : text)

/** Where it happened; the message stands in front of it and can have lines that look like it. */
function framesOf({ stack = '', message }: Error): string {
  const at = stack.indexOf(message)
  const rest = at < 0 ? stack : stack.slice(at + message.length)
  return rest
    .split('\n')
    .filter(line => /^ +at /.test(line))
    .join('\n')
}
