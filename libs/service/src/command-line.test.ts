import { expect, test } from 'vitest'
import { parseCommandLine, type Program } from './command-line.ts'

const program: Program = {
  usage: 'npm run sail -- --to PLACE WORD',
  about: 'Sails somewhere.',
  options: { to: { value: 'PLACE', about: 'where to' }, fast: { about: 'with all sails' } },
  words: { min: 1, max: 2 },
  settings: 'Sails',
}

test('what is given is told by its kind', () => {
  expect(parseCommandLine(program, ['--to', 'Lima', 'now', '--fast'])).toEqual({
    given: { flags: new Set(['fast']), values: { to: 'Lima' }, words: ['now'] },
  })
})

test.each([['--help'], ['-h'], ['--to=x', 'word', '--help']])(
  'help says how to call it, and where its settings are: %j',
  (...args) => {
    expect(parseCommandLine(program, args)).toEqual({
      help: `usage: npm run sail -- --to PLACE WORD

Sails somewhere.

  --to PLACE  where to
  --fast      with all sails
  --help      show this help

Settings are environment variables. docs/configuration.md lists them all under "Sails".
`,
    })
  },
)

test.each([
  ['an unknown option', ['word', '--of'], "unknown option '--of'"],
  ['an unknown letter', ['word', '-x'], "unknown option '-x'"],
  ['a value that is missing', ['word', '--to'], "option '--to <value>' argument missing"],
  ['a value for a flag', ['word', '--fast=5'], "option '--fast' does not take an argument"],
  ['too many words', ['a', 'b', 'c'], "unexpected argument 'c'"],
  ['too few', [], 'missing argument'],
])('%s is refused with the rule', (_what, args, why) => {
  const outcome = parseCommandLine(program, args) as { refusal: string }
  expect(outcome.refusal.toLowerCase()).toBe(
    `unable to start: ${why}\nusage: npm run sail -- --to place word\nSee --help.`.toLowerCase(),
  )
})
