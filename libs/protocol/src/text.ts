/**
 * Text as people write it. Lengths are counted in Unicode code points, as JSON Schema and PostgreSQL count them, so that
 * schema, domain, SDK and store agree. What is shown is cut between graphemes: what a reader takes for one character.
 */

/** Half of a pair that stands alone is no character, and ends every strict decoder; U+0000 ends a text of PostgreSQL. */
const illFormed = /[\p{Cs}\0]/u

/** Whether the text is Unicode that every peer can read: no lone surrogate, no U+0000. */
export const isWellFormed = (text: string): boolean => !illFormed.test(text)

/** The rule that `isWellFormed` is, for refusals. */
export const wellFormedRule = 'well-formed Unicode, no U+0000'

/**
 * Signs that show nothing by themselves: blanks, controls, marks of direction, fillers (those of Hangul are ignorable by
 * default), marks that stand on a letter, and the few empty signs that Unicode counts among the symbols.
 */
const unseen =
  /[\p{Cc}\p{Cs}\p{Z}\p{Mn}\p{Me}\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\u2800\ufff9-\ufffb\u{13430}-\u{1343f}\u{1d159}]/u
const seen = new RegExp(unseen.source.replace('[', '[^'), 'u')

/** Whether a reader sees anything of it. */
export const isVisible = (text: string): boolean => seen.test(text)

/** The rule that `isVisible` is, for refusals. */
export const visibleRule = 'something visible'

/** What is wrong with a line of text, a name for instance: the rule that it breaks. */
export function flawOfLine(line: string, lengthMax: number): string | undefined {
  if (line === '') return 'minLength 1'
  if (lengthOf(line) > lengthMax) return `maxLength ${lengthMax}`
  // A line break would forge lines in lists and logs.
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(line)) return 'no control characters'
  // They would turn around what stands beside it.
  if (/\p{Bidi_Control}/u.test(line)) return 'no marks of direction'
  if (!isWellFormed(line)) return wellFormedRule
  return isVisible(line) ? undefined : visibleRule
}

/** Code points. */
export function lengthOf(text: string): number {
  let length = text.length
  for (let at = text.length - 1; at > 0; at--)
    if ((text.charCodeAt(at) & 0xfc00) === 0xdc00 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800) length--
  return length
}

/** Bytes of UTF-8. */
export function bytesOf(text: string): number {
  let bytes = text.length
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    // Each half of a pair makes two of the four bytes.
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit & 0xf800) !== 0xd800 ? 2 : 1
  }
  return bytes
}

/** Text of others, made readable: what is no character becomes U+FFFD, controls become a blank. */
export const mended = (text: string): string =>
  text.replace(/[\p{Cc}]+/gu, ' ').replace(/\p{Cs}|\p{Noncharacter_Code_Point}/gu, '\ufffd')

/** Made when it is first needed: that takes longer than a cut. */
let segmenter: Intl.Segmenter | undefined

/** One grapheme can be as long as a text; the longest emoji has ten code points. */
const graphemeLengthUsual = 10

/**
 * The beginning of a text, cut between two graphemes.
 * @param limits at most so many graphemes, and so many code points; `end` stands in the last one's place when something
 *   was cut off
 * @returns well-formed text
 */
export function cutText(
  text: string,
  limits: { readonly graphemesMax: number; readonly lengthMax?: number; readonly end?: string },
): string {
  const { graphemesMax, lengthMax = graphemesMax * graphemeLengthUsual, end = '' } = limits
  // More code points than may stay, whatever follows: a longer text costs no more.
  const start = text.slice(0, 2 * (lengthMax + 1)).replace(/\p{Cs}/gu, '\ufffd')
  if (start.length <= graphemesMax && start.length <= lengthMax) return start
  const endLength = lengthOf(end)
  let cut = 0
  let graphemes = 0
  let length = 0
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' })
  for (const { segment } of segmenter.segment(start)) {
    graphemes++
    length += lengthOf(segment)
    if (graphemes > graphemesMax || length > lengthMax) return start.slice(0, cut) + end
    if (graphemes + endLength <= graphemesMax && length + endLength <= lengthMax) cut += segment.length
  }
  return start
}

/** Scripts that run from right to left, and marks of direction. */
const turns = /[\p{Bidi_Control}\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u
const [isolateStart, isolateEnd] = ['\u2068', '\u2069']

/**
 * A line of others' text that runs in its own direction, and does not turn around what stands beside it. In HTML the element
 * `bdi` does that.
 */
export function isolated(line: string): string {
  if (!turns.test(line)) return line
  let depth = 0
  const closed = line.replace(/[\u2066-\u2069]/g, mark => {
    if (mark !== isolateEnd) depth += 1
    else if (depth === 0) return ''
    else depth -= 1
    return mark
  })
  return `${isolateStart}${closed}${isolateEnd.repeat(depth + 1)}`
}

const fieldLengthMax = 128

/** A path as refusals name it: dotted, short, and fit to be read whatever the keys are. */
export const fieldOf = (path: readonly (string | number)[]): string =>
  cutText(path.join('.').replaceAll('\0', '\ufffd'), { graphemesMax: fieldLengthMax })
