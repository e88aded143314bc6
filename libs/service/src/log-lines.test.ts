import { expect, test } from 'vitest'
import { plainLines } from './log-lines.ts'
import { createLogger } from './logger.ts'

test('for people a line is the time, the level, what happened and the fields; an error is told below', () => {
  let said = ''
  const logger = createLogger('flotilla', 'info', plainLines({ write: text => (said += text) }))
  logger.debug('not told')
  logger.warn({ port: 8080, from: 'a\u001b[2Jb', list: [1] }, 'the port is taken')
  logger.warn({ err: new Error('gone', { cause: new TypeError('really') }), password: 'hunter2' }, 'unable to ask')
  expect(said.split('\n').map(line => line.replace(/^\d\d:\d\d:\d\d/, 'TIME'))).toEqual([
    'TIME WARN  the port is taken port=8080 from=a [2Jb list=[1]',
    'TIME WARN  unable to ask password=[hidden]',
    '  Error: gone',
    '  TypeError: really',
    '',
  ])
  said = ''
  logger.error({ err: new Error('a fault') }, 'a request failed')
  expect(said).toMatch(/ERROR a request failed\n {2}Error: a fault\n {4}at .*log-lines\.test\.ts/)
})
