import { expect, test } from 'vitest'
import { createLogger, requestIdOf, withLogFields } from './logger.ts'

function open() {
  const lines: string[] = []
  const logger = createLogger('test', 'trace', { write: line => void lines.push(line) })
  const last = () => JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown>
  return { logger, lines, last }
}

test('what libraries hang onto an error stays out of the log; what names the fault stays in', () => {
  const { logger, lines, last } = open()
  const row = Object.assign(new Error('null value in column "name" violates not-null constraint'), {
    code: '23502',
    table: 'users',
    column: 'name',
    detail: 'Failing row contains (MARKER).',
    where: 'MARKER',
  })
  const query = new Error('Failed query: insert into users values ($1)\nparams: MARKER,\n    at MARKER', { cause: row })
  logger.error({ err: Object.assign(query, { query: 'insert', params: ['MARKER'] }) }, 'a request failed')
  expect(last()['err']).toMatchObject({
    type: 'Error',
    message: 'Failed query: insert into users values ($1)',
    stack: expect.stringContaining('logger.test.ts'),
    cause: { code: '23502', table: 'users', column: 'name', message: row.message },
  })

  const value = Object.assign(new Error('invalid input syntax for type uuid: "MARKER"'), { code: '22P02' })
  const range = Object.assign(new Error('value "MARKER" is out of range for type integer'), { code: '22003' })
  logger.error({ err: new AggregateError([value, range], 'both failed') }, 'values')
  expect(last()['err']).toMatchObject({
    errors: [
      { message: 'invalid input syntax for type uuid: …' },
      { message: 'value … is out of range for type integer' },
    ],
  })

  const redis = Object.assign(new Error("ERR unknown command 'x', with args beginning with: 'MARKER'"), {
    command: { name: 'publish', args: ['inbox', 'MARKER'] },
  })
  logger.error(redis)
  logger.error({ err: redis })
  expect(last()['err']).toMatchObject({ message: "ERR unknown command 'x', " })
  try {
    JSON.parse('{"a": MARKER}')
  } catch (error) {
    logger.warn({ err: error }, 'unreadable')
  }
  logger.fatal({ err: 'MARKER' }, 'thrown')
  expect(last()['err']).toMatchObject({ message: 'string was thrown' })
  expect(lines).toHaveLength(6)
  expect(lines.join('')).not.toContain('MARKER')
})

test('secrets are blanked by their names, and of a request neither URL nor headers are told', () => {
  const { logger, lines } = open()
  const held = { ticket: 'MARKER', cookie: 'MARKER', password: 'MARKER', secret: 'MARKER', accessToken: 'MARKER' }
  logger.info(held, 'held')
  logger.info({ held }, 'held below')
  logger.info({ req: { id: 'r', method: 'GET', url: '/x?code=MARKER', headers: { cookie: 'MARKER' } } }, 'asked')
  expect(lines.join('')).not.toContain('MARKER')
})

test('what is logged inside carries the fields, also after waiting, and outside it does not', async () => {
  const { logger, last } = open()
  await withLogFields({ requestId: 'one' }, async () => {
    await new Promise(resolve => setTimeout(resolve, 1))
    logger.info({ more: 1 }, 'inside')
    expect(last()).toMatchObject({ requestId: 'one', more: 1 })
    logger.info({ more: 2 }, 'inside')
    expect(last()).toMatchObject({ requestId: 'one', more: 2 })
  })
  logger.info('outside')
  expect(last()).not.toHaveProperty('requestId')
  expect(last()).not.toHaveProperty('more')
})

test.each([
  ['0123456789abcdef0123456789abcdef', true],
  ['edge-1:00.17_x', true],
  ['short', false],
  ['x'.repeat(65), false],
  ['with blank inside', false],
  ['line\nbreak-in-it', false],
  ['', false],
  [['0123456789'], false],
])('as the id of a request %j is taken: %s', (given, taken) => {
  expect(requestIdOf(given) !== undefined).toBe(taken)
})
