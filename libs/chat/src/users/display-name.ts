/**
 * Display names: in any script, since people are called in any, and not made to deceive. Within a word letters come from
 * one script, or from those that are written together (UTS 39, "highly restrictive"); nothing is invisible but what shapes
 * the letters around it; and none is reserved.
 */
import { Refusal } from '@flotilla/protocol'
import type { UsersContext } from './context.ts'
import { checkName } from '../text/names.ts'
import { isReserved, nameReserved } from './reserved-names.ts'

/** The recommended scripts (UAX 31, table 5). Of the others none is mixed with these. */
const scripts = `
  Arabic Armenian Bengali Bopomofo Cyrillic Devanagari Ethiopic Georgian Greek Gujarati Gurmukhi Hangul Han Hebrew Hiragana
  Kannada Katakana Khmer Lao Latin Malayalam Myanmar Oriya Sinhala Tamil Telugu Thaana Thai Tibetan`
  .trim()
  .split(/\s+/)
  .map(name => ({ name, letters: new RegExp(`\\p{Script_Extensions=${name}}`, 'u') }))
const common = /[\p{Script_Extensions=Common}\p{Script_Extensions=Inherited}]/u

/** Writings that use several scripts, and Latin letters beside them. */
const writings: Readonly<Record<string, readonly string[]>> = {
  Han: ['Chinese', 'Japanese', 'Korean'],
  Bopomofo: ['Chinese'],
  Hiragana: ['Japanese'],
  Katakana: ['Japanese'],
  Hangul: ['Korean'],
}

function scriptsOf(letter: string): ReadonlySet<string> {
  const found = scripts.filter(({ letters }) => letters.test(letter)).map(({ name }) => name)
  return new Set(found.length === 0 ? ['other'] : found.flatMap(name => [name, ...(writings[name] ?? [])]))
}

function inCommon(sets: readonly ReadonlySet<string>[]): ReadonlySet<string> {
  const [first = new Set<string>(), ...others] = sets
  return new Set([...first].filter(name => others.every(set => set.has(name))))
}

/** Whether the letters of a word are written together by anybody. */
function isOneWriting(word: string): boolean {
  const sets = Array.from(word)
    .filter(letter => !common.test(letter))
    .map(scriptsOf)
  if (sets.length === 0 || inCommon(sets).size > 0) return true
  const foreign = inCommon(sets.filter(set => !set.has('Latin')))
  return ['Chinese', 'Japanese', 'Korean'].some(writing => foreign.has(writing))
}

/** The flag `v` is younger than the target of the compiler. */
const emoji = new RegExp('\\p{RGI_Emoji}', 'gv')
const joined = `[\\p{scx=Arab}\\p{scx=Syrc}\\p{scx=Mong}\\p{scx=Nkoo}\\p{scx=Deva}\\p{scx=Beng}\\p{scx=Guru}\\p{scx=Gujr}\\p{scx=Orya}\\p{scx=Taml}\\p{scx=Telu}\\p{scx=Knda}\\p{scx=Mlym}\\p{scx=Sinh}\\p{scx=Khmr}\\p{scx=Mymr}]`
/** Invisible, and part of what is seen: joiners between letters that have forms, and signs that choose a form. */
const shaping = new RegExp(
  [
    `(?<=${joined})[\\u200c\\u200d](?=${joined})`,
    '(?<=\\p{Extended_Pictographic}[\\ufe0f\\u{1f3fb}-\\u{1f3ff}]?)\\u200d(?=\\p{Extended_Pictographic})',
    '(?<=\\p{Extended_Pictographic})[\\ufe0e\\ufe0f]',
    '(?<=\\p{Ideographic})[\\ufe00-\\ufe0f\\u{e0100}-\\u{e01ef}]',
    '(?<=\\p{scx=Mong})[\\u180b-\\u180d\\u180f]',
  ].join('|'),
  'gu',
)

/** What stands on a letter in any orthography is fewer. */
const piled = /\p{Mn}{5}/u

const rules: readonly (readonly [rule: string, breaks: (name: string) => boolean])[] = [
  [
    'no invisible characters',
    name => /\p{Default_Ignorable_Code_Point}/u.test(name.replace(emoji, '').replace(shaping, '')),
  ],
  ['at most 4 marks on a letter', name => piled.test(name.normalize('NFD'))],
  ['one script within a word', name => !name.split(/[^\p{L}\p{M}\p{N}]+/u).every(isOneWriting)],
]

/**
 * The name without blanks around it.
 * @throws Refusal field_invalid, which says in `rule` what is wrong
 */
export function checkDisplayName(ctx: Pick<UsersContext, 'settings'>, text: string): string {
  const field = 'displayName'
  const name = checkName(text, field)
  const broken = rules.find(([, breaks]) => breaks(name))
  if (broken !== undefined)
    throw new Refusal('field_invalid', `${field}: invalid (${broken[0]})`, { field, rule: broken[0] })
  if (isReserved(ctx, name)) throw nameReserved(field)
  return name
}

/** Whether it would be taken. */
export function isDisplayName(ctx: Pick<UsersContext, 'settings'>, text: string): boolean {
  try {
    checkDisplayName(ctx, text)
    return true
  } catch {
    return false
  }
}
