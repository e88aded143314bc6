/**
 * The command line of a program: it says what it takes, and refuses everything else. What is misspelt would otherwise be
 * passed over in silence, and a call for help would start a server.
 */
import { parseArgs } from 'node:util'

/** An option with a value when it names one, otherwise a flag. */
export interface Option {
  /** What stands for its value in the help: `NAME`. */
  readonly value?: string
  readonly about: string
}

export interface Program {
  /** How it is called: `npm run chat -- --as NAME`. */
  readonly usage: string
  /** What it does, in a sentence or two. */
  readonly about: string
  readonly options?: Readonly<Record<string, Option>>
  /** How many words it takes beside its options; none when left out. */
  readonly words?: { readonly min: number; readonly max: number }
  /** The heading of its settings in docs/configuration.md. */
  readonly settings?: string
}

export interface Given {
  readonly flags: ReadonlySet<string>
  readonly values: Readonly<Record<string, string | undefined>>
  readonly words: readonly string[]
}

type Outcome = { readonly given: Given } | { readonly help: string } | { readonly refusal: string }

/** Reads the command line of this process; after `--help`, and after what it does not take, the process ends. */
export function readCommandLine(program: Program, args: readonly string[] = process.argv.slice(2)): Given {
  const outcome = parseCommandLine(program, args)
  if ('given' in outcome) return outcome.given
  if ('help' in outcome) {
    process.stdout.write(outcome.help)
    return process.exit(0)
  }
  process.stderr.write(`${outcome.refusal}\n`)
  return process.exit(2)
}

export function parseCommandLine(program: Program, args: readonly string[]): Outcome {
  const { options = {}, words = { min: 0, max: 0 } } = program
  const declared = Object.entries(options).map(
    ([name, { value }]) => [name, { type: value === undefined ? 'boolean' : 'string' }] as const,
  )
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { ...Object.fromEntries(declared), help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
    })
    if (values['help'] !== undefined) return { help: helpOf(program) }
    const [extra] = positionals.slice(words.max)
    if (extra !== undefined) return refused(program, `unexpected argument '${extra}'`)
    if (positionals.length < words.min) return refused(program, 'missing argument')
    const entries = Object.entries(values)
    return {
      given: {
        flags: new Set(entries.filter(([, value]) => typeof value === 'boolean').map(([name]) => name)),
        values: Object.fromEntries(
          entries.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
        ),
        words: positionals,
      },
    }
  } catch (error) {
    // The first sentence; the others are about node.
    return refused(
      program,
      (error instanceof Error ? error.message : String(error)).split(/\. |\n/)[0]!.replace(/^U/, 'u'),
    )
  }
}

const refused = ({ usage }: Program, why: string): Outcome => ({
  refusal: `unable to start: ${why}\nusage: ${usage}\nSee --help.`,
})

function helpOf({ usage, about, options = {}, settings }: Program): string {
  const rows = Object.entries({ ...options, help: { about: 'show this help' } } satisfies Record<string, Option>).map(
    ([name, { value, about: what }]: [string, Option]) =>
      [`--${name}${value === undefined ? '' : ` ${value}`}`, what] as const,
  )
  const width = Math.max(...rows.map(([name]) => name.length))
  const pointer =
    settings === undefined
      ? ''
      : `\nSettings are environment variables. docs/configuration.md lists them all under "${settings}".\n`
  return `usage: ${usage}\n\n${about}\n\n${rows.map(([name, what]) => `  ${name.padEnd(width)}  ${what}\n`).join('')}${pointer}`
}
