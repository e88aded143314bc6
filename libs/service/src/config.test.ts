import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { choice, decimal, describeSettings, flag, integer, list, readSettings, secret, text } from './config.ts'

const settings = {
  NAME: text('node', 'The name.'),
  COUNT: integer(3, { min: 1, max: 9 }, 'How many.'),
  SHARE: decimal(0.5, { min: 0, max: 100 }, 'How much.'),
  LOUD: flag(false, 'Whether.'),
  PLACES: list(['a', 'b'], 'Where.'),
  MODE: choice(['fast', 'safe'], 'safe', 'Which.'),
  KEY: { ...secret('The key.'), required: true },
}

test('given values are parsed, missing and empty ones take their default', () => {
  expect(
    readSettings(settings, { KEY: 'k', COUNT: '7', SHARE: '2.25', LOUD: 'true', PLACES: 'x, y,', NAME: '' }),
  ).toEqual({
    NAME: 'node',
    COUNT: 7,
    SHARE: 2.25,
    LOUD: true,
    PLACES: ['x', 'y'],
    MODE: 'safe',
    KEY: 'k',
  })
})

test('all mistakes are named at once, and no secret is shown', () => {
  const read = () =>
    readSettings(
      { ...settings, KEY: { ...settings.KEY, parse: () => fail() } },
      { COUNT: '10', SHARE: 'half', LOUD: 'loud', MODE: 'x', KEY: 'hunter2' },
    )
  const fail = (): never => {
    throw new Error('must be a key')
  }
  expect(read).toThrow(
    /COUNT must be a whole number from 1 to 9 \(is "10"\); SHARE must be a number from 0 to 100 \(is "half"\); LOUD must be true or false.*MODE must be one of fast, safe.*KEY must be a key/,
  )
  expect(read).not.toThrow(/hunter2/)
  expect(() => readSettings(settings, {})).toThrow(/KEY is missing/)
})

test.each([
  ['true', true],
  ['ON', true],
  ['yes', true],
  ['1', true],
  ['False', false],
  ['off', false],
  ['no', false],
  ['0', false],
])('a switch that says %s is %s', (given, value) => {
  expect(flag(!value, 'Whether.').parse(given)).toBe(value)
})

test('a secret may stand in a file, and nothing else may', () => {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-settings-'))
  const file = join(folder, 'key')
  try {
    writeFileSync(file, 'from a file\n')
    expect(readSettings(settings, { KEY_FILE: file }).KEY).toBe('from a file')
    expect(() => readSettings(settings, { KEY: 'hunter2', KEY_FILE: file })).toThrow(/KEY and KEY_FILE are both set$/)
    expect(() => readSettings(settings, { KEY_FILE: join(folder, 'none') })).toThrow(
      /KEY cannot be read from KEY_FILE: ENOENT/,
    )
    expect(readSettings(settings, { KEY: 'k', NAME_FILE: file }).NAME).toBe('node')
    writeFileSync(file, '\n')
    expect(() => readSettings(settings, { KEY_FILE: file })).toThrow(/KEY is missing/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('the docs have a row for each setting', () => {
  expect(describeSettings(settings)).toContain('| `MODE` | fast \\| safe | `safe` | Which. |')
  expect(describeSettings(settings)).toContain('| `KEY` | secret | **required** | The key. |')
})
