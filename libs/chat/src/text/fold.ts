/**
 * Text as it is searched: case, accents, width and the writing of one letter in several ways make no difference, nor
 * whether it is in katakana or hiragana. What comes out is ASCII, because pg_trgm knows other letters only in some locales
 * of the database: under C it finds no Иван and no 田中.
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
const katakana = /[\u30a1-\u30f6\u30fd\u30fe]/gu
const toHiragana = 0x60
const foreign = /\P{ASCII}/gu
const blank = /[\p{Z}\p{P}\p{C}]/u
/** Scripts without blanks, of which one letter can be a name: each is a word, so that one letter finds it. */
const word = /[\p{Ideographic}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}]/u

/** Whether a single letter of it can be searched for. */
export const hasWordLetter = (text: string): boolean => word.test(text)

/** Digit, letter, digit, letter: no name in Latin letters looks like that, so that 田 does not find Anna. */
const codes = 10 * 26 * 10 * 26
/** Without a divisor in common with `codes`, so that no two letters of one script get the same code. */
const spread = 40_507

/** Letters that stand side by side get codes that share nothing, or all words of one script would look alike. */
function code(letter: string): string {
  if (blank.test(letter)) return ' '
  const number = ((letter.codePointAt(0) ?? 0) * spread) % codes
  const letterOf = (place: number) => String.fromCharCode(0x61 + (Math.floor(number / place) % 26))
  const digitOf = (place: number) => String(Math.floor(number / place) % 10)
  const coded = digitOf(6_760) + letterOf(260) + digitOf(26) + letterOf(1)
  return word.test(letter) ? ` ${coded} ` : coded
}

export function fold(text: string): string {
  return (
    text
      .normalize('NFKD')
      .replace(marks, '')
      .toLowerCase()
      .replace(katakana, letter => String.fromCharCode(letter.charCodeAt(0) - toHiragana))
      // The parts of a syllable of Hangul are one letter again.
      .normalize('NFC')
      .replace(foreign, letter => plain[letter] ?? letter)
      .replace(foreign, code)
      .replace(/[\s\p{Cc}]+/gu, ' ')
      .trim()
  )
}

/** Says which folding made a text; pg_trgm passes over it. Another folding gets another one, here and in an index. */
const foldMark = '~'

/** What a person is found by: `users.search_text`. It is written with every change of a name. */
export const searchText = (username: string, displayName: string) => foldMark + fold(`${username} ${displayName}`)
