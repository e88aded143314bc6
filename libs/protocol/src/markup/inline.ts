/**
 * Marks within lines. One pass from left to right with a stack of what is open. A mark is never open twice, so the stack has
 * at most seven places, and what stays open at the end becomes text again: a character is moved at most that often. No look
 * goes over the same characters twice but for a constant, which `Meter` counts and a test holds.
 */
import { isVisible } from '../text.ts'
import { type Inline, type Meter, nodesMax } from './tree.ts'

type Mark = '**' | '*' | '_' | '~~' | '||' | '['
type Span = 'bold' | 'italic' | 'strike' | 'spoiler'

const spans: Readonly<Record<Exclude<Mark, '['>, Span>> = {
  '**': 'bold',
  '*': 'italic',
  _: 'italic',
  '~~': 'strike',
  '||': 'spoiler',
}

interface Frame {
  /** Undefined at the bottom. */
  readonly mark: Mark | undefined
  /** Where its inside begins. */
  readonly start: number
  readonly children: Inline[]
}

const schemes = ['https://', 'http://', 'mailto:', 'tel:']
/** Neither in a bare target nor in one that is written out: what ends it, and what would make it look like another. */
const notInUrl = /[\s<>"`|\\[\]\p{Cc}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}]/u
/** At the end of a bare link it belongs to the sentence. */
const afterLink = /[.,;:!?'*_~(]/
/** A name before the host (`https://bank.example@evil.example`) is there to deceive. */
const targets = [
  /^https?:\/\/[\p{L}\p{N}][^/?#@]*(?:[/?#].*)?$/iu,
  /^mailto:[^@?]+@[^@?]+(?:\?.*)?$/i,
  /^tel:\+?\d[\d().-]*$/i,
]
const urlLengthMax = 2_048
const isLink = (url: string) =>
  url.length <= urlLengthMax && !notInUrl.test(url) && targets.some(target => target.test(url))

const space = /\s/
const wordLetter = /[\p{L}\p{N}\p{M}]/u
const asciiWord = /[A-Za-z0-9]/
/** What may stand before an underscore that begins something: not the inside of a word, nor ¯\_(ツ)_/¯. */
const beforeUnderscore = /[\s([{"'“‘«*~|>,.:;!?/—–-]/
const isUnderscoreStart = (before: string) => before === '' || beforeUnderscore.test(before)

/** Whether a backslash after `before` takes its meaning from a mark. */
export const isEscaped = (mark: string, before: string): boolean =>
  mark !== '' && '*_~|`[]@'.includes(mark) && (mark !== '_' || before === '\\' || isUnderscoreStart(before))

/** What begins a quote or an item of a list; a backslash before it takes its meaning, where only such and blanks stand before it. */
export const lineMark = /^(?:[>•-]|\d{1,9}[.)])(?:[ \n]|$)/
export const indentLengthMax = 12
const lineMarkLengthMax = 11

export function parseInline(source: string, meter: Meter): Inline[] {
  return new InlineParser(source, meter).parse()
}

class InlineParser {
  readonly #source: string
  readonly #meter: Meter
  readonly #stack: Frame[] = [{ mark: undefined, start: 0, children: [] }]
  /** For each run of backticks, by where it begins: where the next one of the same length begins. */
  readonly #nextRun: ReadonlyMap<number, number>
  #at = 0
  /** Where the text begins that no node holds yet. */
  #from = 0

  constructor(source: string, meter: Meter) {
    this.#source = source
    this.#meter = meter
    this.#nextRun = this.#pairRuns()
  }

  parse(): Inline[] {
    while (this.#at < this.#source.length && this.#meter.nodes < nodesMax) if (!this.#take()) this.#at += 1
    this.#at = this.#source.length
    this.#flush()
    while (this.#stack.length > 1) this.#dissolve()
    return this.#stack[0]!.children
  }

  #look(at: number): string {
    this.#meter.steps += 1
    return this.#source[at] ?? ''
  }

  /** Takes what begins here. @returns whether it was more than a character of text */
  #take(): boolean {
    switch (this.#look(this.#at)) {
      case '\\':
        return this.#takeEscape()
      case '`':
        return this.#takeCode()
      case '*':
        return this.#takeStars()
      case '_':
        return this.#takeMark('_')
      case '~':
        return this.#look(this.#at + 1) === '~' && this.#takeMark('~~')
      case '|':
        return this.#look(this.#at + 1) === '|' && this.#takeMark('||')
      case '[':
        return this.#openLink()
      case ']':
        return this.#closeLink()
      case '@':
        return this.#takeMention()
      case 'h':
      case 'H':
      case 'm':
      case 'M':
      case 't':
      case 'T':
        return this.#takeBareLink()
      default:
        return false
    }
  }

  // ── what stands for itself ─────────────────────────────────────────────────────────────────────────────────────────

  #takeEscape(): boolean {
    if (!isEscaped(this.#look(this.#at + 1), this.#look(this.#at - 1)) && !this.#isLineEscape()) return false
    this.#flush()
    this.#from = this.#at + 1
    this.#at += 2
    return true
  }

  #isLineEscape(): boolean {
    let length = 0
    while (length <= indentLengthMax && ' \\'.includes(this.#look(this.#at - length - 1) || '.')) length++
    const before = this.#look(this.#at - length - 1)
    if (length > indentLengthMax || (before !== '' && before !== '\n')) return false
    return lineMark.test(this.#source.slice(this.#at + 1, this.#at + 1 + lineMarkLengthMax))
  }

  #pairRuns(): Map<number, number> {
    const next = new Map<number, number>()
    const last = new Map<number, number>()
    for (let at = this.#source.length - 1; at >= 0; at--) {
      this.#meter.steps += 1
      if (this.#source[at] !== '`') continue
      const end = at
      while (at > 0 && this.#source[at - 1] === '`') at--
      const length = end - at + 1
      this.#meter.steps += length
      const after = last.get(length)
      if (after !== undefined) next.set(at, after)
      last.set(length, at)
    }
    return next
  }

  #takeCode(): boolean {
    let length = 1
    while (this.#look(this.#at + length) === '`') length++
    const close = this.#nextRun.get(this.#at)
    if (close === undefined) {
      this.#at += length
      return true
    }
    this.#push({ type: 'code', text: this.#source.slice(this.#at + length, close) }, close + length)
    return true
  }

  #takeMention(): boolean {
    if (wordLetter.test(this.#look(this.#at - 1))) return false
    let end = this.#at + 1
    while (/[\w.-]/.test(this.#look(end))) end++
    while (end > this.#at + 1 && /[.-]/.test(this.#look(end - 1))) end--
    if (end === this.#at + 1) return false
    this.#push({ type: 'mention', name: this.#source.slice(this.#at + 1, end) }, end)
    return true
  }

  // ── marks around something ─────────────────────────────────────────────────────────────────────────────────────────

  /** Of three stars two are bold. What is open tells which of them close. */
  #takeStars(): boolean {
    let run = 1
    while (this.#look(this.#at + run) === '*') run++
    const top = this.#stack.at(-1)?.mark
    const mark = run === 1 || (run === 3 && top === '*') ? '*' : '**'
    if (run > 3 || !this.#tryMark(mark)) this.#at += run
    return true
  }

  #takeMark(mark: Exclude<Mark, '['>): boolean {
    if (!this.#tryMark(mark)) this.#at += mark.length
    return true
  }

  #tryMark(mark: Exclude<Mark, '['>): boolean {
    const before = this.#look(this.#at - 1)
    const after = this.#look(this.#at + mark.length)
    const open = this.#stack.findLastIndex(frame => frame.mark === mark)
    if (open > 0) {
      if (!closes(mark, before, after)) return false
      this.#flush()
      // Nothing between the marks: they stand for themselves.
      if (this.#stack[open]!.start === this.#at) return false
      this.#push({ type: spans[mark], children: this.#pop(open) }, this.#at + mark.length)
      return true
    }
    if (!opens(mark, before, after)) return false
    this.#flush()
    this.#stack.push({ mark, start: this.#at + mark.length, children: [] })
    this.#skipTo(this.#at + mark.length)
    return true
  }

  // ── links ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  #openLink(): boolean {
    this.#flush()
    // A link holds no other: the inner one counts.
    this.#abandonLink()
    this.#stack.push({ mark: '[', start: this.#at + 1, children: [] })
    this.#skipTo(this.#at + 1)
    return true
  }

  #abandonLink(): void {
    const open = this.#stack.findLastIndex(frame => frame.mark === '[')
    if (open > 0) while (this.#stack.length > open) this.#dissolve()
  }

  #closeLink(): boolean {
    const open = this.#stack.findLastIndex(frame => frame.mark === '[')
    if (open < 0) return false
    this.#flush()
    const end = this.#look(this.#at + 1) === '(' ? this.#endOfTarget(this.#at + 2) : undefined
    const url = end === undefined ? '' : this.#source.slice(this.#at + 2, end)
    // Words that nobody sees would be a link that nobody expects.
    if (end === undefined || !isLink(url) || !isVisible(this.#source.slice(this.#stack[open]!.start, this.#at))) {
      this.#abandonLink()
      return false
    }
    this.#push({ type: 'link', url, children: this.#unlinked(this.#pop(open)) }, end + 1)
    return true
  }

  /** The closing parenthesis of a target. The look ends before the next bracket, so that no two overlap. */
  #endOfTarget(from: number): number | undefined {
    let depth = 0
    for (let at = from; ; at++) {
      const letter = this.#look(at)
      if (letter === '' || notInUrl.test(letter)) return undefined
      if (letter === '(') depth++
      else if (letter === ')' && depth-- === 0) return at
    }
  }

  /** What was taken for a bare link within the words of another is part of these words. */
  #unlinked(children: readonly Inline[]): Inline[] {
    return children.flatMap((child): Inline[] => {
      this.#meter.steps += 1
      if (child.type === 'link') return [...child.children]
      return 'children' in child ? [{ ...child, children: this.#unlinked(child.children) }] : [child]
    })
  }

  #takeBareLink(): boolean {
    if (wordLetter.test(this.#look(this.#at - 1))) return false
    const scheme = schemes.find(one => this.#source.slice(this.#at, this.#at + one.length).toLowerCase() === one)
    if (scheme === undefined) return false
    const end = this.#endOfBare(this.#at + scheme.length)
    const url = this.#source.slice(this.#at, end)
    if (!isLink(url)) {
      // What was looked at is not looked at again.
      this.#at = end
      return true
    }
    this.#meter.nodes += 1
    this.#push({ type: 'link', url, children: [{ type: 'text', text: url }] }, end)
    return true
  }

  /** Where a link ends that nothing encloses: before what belongs to the sentence around it. */
  #endOfBare(from: number): number {
    let depth = 0
    let end = from
    for (; ; end++) {
      const letter = this.#look(end)
      if (letter === '' || notInUrl.test(letter)) break
      if ((letter === '*' || letter === '~') && this.#look(end + 1) === letter) break
      if (letter === '(') depth++
      else if (letter === ')' && depth-- === 0) break
    }
    while (end > from && afterLink.test(this.#look(end - 1))) end--
    return end
  }

  // ── the tree ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Closes what is open there. What is open above it was never closed. */
  #pop(open: number): Inline[] {
    while (this.#stack.length - 1 > open) this.#dissolve()
    return this.#stack.pop()!.children
  }

  /** The last mark becomes text. */
  #dissolve(): void {
    const { mark, children } = this.#stack.pop()!
    this.#addText(mark!)
    for (const child of children) {
      this.#meter.steps += 1
      if (child.type === 'text') this.#addText(child.text)
      else this.#stack.at(-1)!.children.push(child)
    }
  }

  #addText(text: string): void {
    if (text === '') return
    const { children } = this.#stack.at(-1)!
    const last = children.at(-1)
    if (last?.type === 'text') {
      children[children.length - 1] = { type: 'text', text: last.text + text }
      return
    }
    this.#meter.nodes += 1
    children.push({ type: 'text', text })
  }

  /** What was passed over becomes text. */
  #flush(): void {
    if (this.#from === this.#at) return
    this.#addText(this.#source.slice(this.#from, this.#at))
    this.#from = this.#at
  }

  #push(node: Inline, next: number): void {
    this.#flush()
    this.#meter.nodes += 1
    this.#stack.at(-1)!.children.push(node)
    this.#skipTo(next)
  }

  #skipTo(next: number): void {
    this.#at = next
    this.#from = next
  }
}

function opens(mark: Mark, before: string, after: string): boolean {
  if (after === '' || space.test(after)) return false
  if (mark === '_') return isUnderscoreStart(before)
  return mark !== '*' || !(asciiWord.test(before) && asciiWord.test(after))
}

function closes(mark: Mark, before: string, after: string): boolean {
  if (space.test(before)) return false
  if (mark === '_') return !wordLetter.test(after)
  return mark !== '*' || !(asciiWord.test(before) && asciiWord.test(after))
}
