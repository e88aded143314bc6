/** What people type off a screen or a paper, on whatever keyboard: blanks, hyphens and the script of digits tell nothing. */

/** Letters that look like others by their width or shape become these; digits of every script become 0 to 9. */
export const plainly = (text: string): string =>
  text
    .normalize('NFKC')
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
    .replace(/\p{Nd}/gu, digit => String(valueOf(digit)))
    // The minus, and the sign that a Japanese keyboard has in the place of the hyphen.
    .replace(/[\p{Pd}\u2212\u30fc]/gu, '-')

/** A code without what only makes it easier to read. */
export const plainCode = (typed: string): string => plainly(typed).replace(/[\s-]/gu, '')

/** Unicode has the digits of a script in a row from 0 to 9, and some scripts in several rows. */
function valueOf(digit: string): number {
  const point = digit.codePointAt(0)!
  let before = 0
  while (/^\p{Nd}$/u.test(String.fromCodePoint(point - before - 1))) before++
  return before % 10
}
