/**
 * What a parser of JSON changes without a word: numbers that no double holds are rounded, of a key that stands twice one
 * is lost, and half of a surrogate pair is let through. So that everything comes back as it was sent or is refused, the
 * source is looked at beside the value.
 */
import { Refusal } from './errors.ts'
import { fieldOf, isWellFormed, wellFormedRule } from './text.ts'

/** Escapes that may stand for no character. Without one, well-formed bytes make well-formed texts. */
const doubtful = /\\u(?:[dD][89a-fA-F]|0000)/

/** Whether a parsed source may hold ill-formed texts: cheap, for sources that are not looked at otherwise. */
export const mayBeIllFormed = (source: string): boolean => source.includes('\\u') && doubtful.test(source)

/** A key of this name reaches an object's prototype in careless code of whoever reads it. */
const forbiddenKey = '__proto__'

/** Strings, numbers and what structures them; all else in valid JSON is literals and blanks. */
const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*|[{}[\],]/g

interface Level {
  /** Of an object: those so far. Undefined for an array. */
  readonly keys: Set<string> | undefined
  /** Where in the object or array the scan is. */
  at: string | number | undefined
}

/**
 * Looks at a source that JSON.parse has taken.
 * @returns why it would not come back as it was sent: `field_invalid`, with the place and the rule
 */
export function refuseSource(source: string): Refusal | undefined {
  const levels: Level[] = []
  for (const [token] of source.matchAll(tokens)) {
    const level = levels.at(-1)
    const first = token.charCodeAt(0)
    if (first === quote) {
      const text = token.includes('\\') ? (JSON.parse(token) as string) : token.slice(1, -1)
      const isKey = level?.keys !== undefined && level.at === undefined
      const rule = isKey ? ruleOfKey(text, level.keys) : isWellFormed(text) ? undefined : wellFormedRule
      if (isKey) level.at = text
      if (rule !== undefined) return refuse(levels, rule)
    } else if (token === '{') levels.push({ keys: new Set(), at: undefined })
    else if (token === '[') levels.push({ keys: undefined, at: 0 })
    else if (token === ',') level!.at = typeof level!.at === 'number' ? level!.at + 1 : undefined
    else if (token === '}' || token === ']') levels.pop()
    else if (!isExact(token)) return refuse(levels, 'a number that a double holds')
  }
  return undefined
}

const quote = 0x22

function ruleOfKey(key: string, known: Set<string>): string | undefined {
  if (!isWellFormed(key)) return wellFormedRule
  if (key === forbiddenKey) return `no key ${forbiddenKey}`
  if (known.has(key)) return 'each key once'
  known.add(key)
  return undefined
}

function refuse(levels: readonly Level[], rule: string): Refusal {
  const field = fieldOf(levels.map(level => level.at ?? ''))
  return new Refusal('field_invalid', `${field === '' ? 'the request' : field}: invalid (${rule})`, { field, rule })
}

const plainNumber = /^(?:0|-?[1-9]\d{0,14})$/

/** Whether what a double makes of the number, written down again, has the same value and sign. */
function isExact(source: string): boolean {
  return plainNumber.test(source) || decimalOf(source) === decimalOf(JSON.stringify(Number(source)))
}

/** One writing for all that mean the same: the digits without noughts around them, and the power of ten. */
function decimalOf(number: string): string | undefined {
  const [, sign, whole, fraction = '', power = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(number) ?? []
  if (whole === undefined) return undefined
  const digits = `${whole}${fraction}`.replace(/^0+/, '')
  const short = digits.replace(/0+$/, '')
  return short === '' ? `${sign}0` : `${sign}${short}e${Number(power) - fraction.length + digits.length - short.length}`
}
