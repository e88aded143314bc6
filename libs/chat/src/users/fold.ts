/**
 * Text as it is searched: case, accents and the writing of one letter in several ways make no difference. What comes out
 * is ASCII, because pg_trgm knows other letters only in some locales of the database: under C it finds no Иван and no 田中.
 */

/** Letters that are no composition, so that normalisation leaves them, and what people type instead. */
const plain: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ı: 'i',
  ς: 'σ',
}

/** Accents and vowel points. Not the signs of Indic scripts: there they are the vowels themselves. */
const marks = /(?=\p{M})[\p{Script=Inherited}\p{Script=Hebrew}\p{Script=Arabic}]/gu
const foreign = /\P{ASCII}/gu
const blank = /[\p{Z}\p{P}\p{C}]/u

/** Three digits of base 36 for each letter: 36³ codes. */
const codes = 46_656
/** Without a divisor in common with `codes`, so that no two letters of one script get the same code. */
const spread = 40_507

/** Letters that stand side by side get codes that share nothing, or all words of one script would look alike. */
function code(letter: string): string {
  if (blank.test(letter)) return ' '
  return (((letter.codePointAt(0) ?? 0) * spread) % codes).toString(36).padStart(3, '0')
}

export function fold(text: string): string {
  return text
    .toWellFormed()
    .normalize('NFKD')
    .replace(marks, '')
    .toLowerCase()
    .replace(foreign, letter => plain[letter] ?? letter)
    .replace(foreign, code)
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
}

/** What a person is found by: `users.search_text`. It is written with every change of a name. */
export const searchText = (username: string, displayName: string) => fold(`${username} ${displayName}`)
