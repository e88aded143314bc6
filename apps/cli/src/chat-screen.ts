/**
 * The terminal. On a real one it draws the last lines, a status line and the prompt, and lines can change after they
 * were written; where in or out is a pipe or a file it writes plain lines, one after the other, for people and tests. For
 * programs each line is JSON instead, with all that is known of it.
 */
import { createInterface, type Interface, type Key } from 'node:readline'
import type { ReadStream, WriteStream } from 'node:tty'
import { stripVTControlCharacters } from 'node:util'

/** What a line is about, for programs; what is only told is a note. */
export type About = Readonly<Record<string, unknown>> & { readonly event: string }

/** A line that was written. `set` changes it; elsewhere than on a terminal `news` is written instead, if there is any. */
export interface Line {
  set(text: string, news?: string, about?: About): void
}

export interface Screen {
  readonly plain: boolean
  write(text: string, about?: About): Line
  /** A line that tells of something, apart from what people say. */
  note(text: string, about?: About): void
  /** Starts the view again: in plain mode nothing is taken back. */
  clear(): void
  /** The line above the prompt, and the prompt. In plain mode there are none. */
  status(text: string, prompt: string): void
  close(): void
}

export interface ScreenEvents {
  line(text: string): void
  /** A keystroke, with what stands in the input line. */
  key(text: string): void
  /** The input is over. */
  end(): void
  /** Ctrl-C: at once. */
  abort(): void
}

type Input = NodeJS.ReadStream | NodeJS.ReadableStream
type Output = NodeJS.WriteStream | NodeJS.WritableStream

/** Lines that are kept for drawing. */
const linesMax = 500
/** Several changes within this time are drawn at once. */
const drawMs = 16

const sgr = (on: number, off: number) => (text: string) => `\u001b[${on}m${text}\u001b[${off}m`

export const style = {
  dim: sgr(2, 22),
  bold: sgr(1, 22),
  italic: sgr(3, 23),
  underline: sgr(4, 24),
  inverse: sgr(7, 27),
  strike: sgr(9, 29),
  green: sgr(32, 39),
  yellow: sgr(33, 39),
  cyan: sgr(36, 39),
}

/** @param json whether programs read it, also on a terminal */
export function createScreen(input: Input, output: Output, json: boolean, events: ScreenEvents): Screen {
  if (json) return lines(input, output, events, asJson)
  return isTerminal(input) && isTerminal(output) ? drawn(input, output, events) : lines(input, output, events, asText)
}

const asText = (text: string) => stripVTControlCharacters(text)
export const asJson = (text: string, about: About = { event: 'note', text: asText(text).replace(/^\* /, '') }) =>
  JSON.stringify(about)

/** What others wrote must not move our cursor, colour our screen or begin a line. */
export function harmless(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
}

function isTerminal<T extends Input | Output>(stream: T): stream is T & ReadStream & WriteStream {
  return 'isTTY' in stream && stream.isTTY
}

/** What is shown, one by one: what a reader takes for a character. */
function graphemes(text: string): string[] {
  return Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment)
}

const wide =
  /^(?:[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|.\ufe0f)/u
const empty = /^[\p{Cc}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}]+$/u

/** Columns of the terminal that something takes, without its styles. */
export function widthOf(text: string): number {
  let width = 0
  for (const one of graphemes(stripVTControlCharacters(text))) width += empty.test(one) ? 0 : wide.test(one) ? 2 : 1
  return width
}

function lines(input: Input, output: Output, events: ScreenEvents, format: typeof asJson): Screen {
  const reader = createInterface({ input, terminal: false })
  reader.on('line', line => events.line(line))
  reader.on('close', () => events.end())
  // Whoever read us may have gone.
  output.on('error', () => events.abort())
  const write = (text: string, about?: About) => output.write(`${format(text, about)}\n`)
  return {
    plain: true,
    write(text, about) {
      write(text, about)
      return {
        set(_text, news, changed) {
          if (news !== undefined) write(news, changed)
        },
      }
    },
    note: (text, about) => void write(`* ${text}`, about),
    clear() {},
    status() {},
    close: () => reader.close(),
  }
}

function drawn(input: Input, output: WriteStream, events: ScreenEvents): Screen {
  const lines: { text: string }[] = []
  let [status, prompt] = ['', '> ']
  let timer: NodeJS.Timeout | undefined
  let closed = false
  const reader = createInterface({ input, output, terminal: true, prompt })
  const drawSoon = () => {
    if (!closed) timer ??= setTimeout(draw, drawMs)
  }
  const draw = () => {
    timer = undefined
    if (closed) return
    const { columns, rows } = output
    const visible = lastRows(lines, columns, Math.max(1, rows - 3))
    output.write(`\u001b[H\u001b[2J${visible.join('\n')}\u001b[${Math.max(1, rows - 1)};1H${cut(status, columns)}\n`)
    reader.setPrompt(prompt)
    reader.prompt(true)
  }
  const write = (text: string): Line => {
    const line = { text }
    lines.push(line)
    if (lines.length > linesMax) lines.shift()
    drawSoon()
    return {
      set(changed) {
        line.text = changed
        drawSoon()
      },
    }
  }
  reader.on('line', line => {
    drawSoon()
    events.line(line)
  })
  reader.on('close', () => events.end())
  reader.on('SIGINT', () => events.abort())
  const onKey = (_text: string | undefined, key: Key) => {
    if (key.name !== 'return') events.key(lineOf(reader))
  }
  input.on('keypress', onKey)
  output.on('resize', drawSoon)
  // A screen of its own, so that what stood in the terminal before is there again afterwards.
  output.write('\u001b[?1049h')
  drawSoon()
  return {
    plain: false,
    write,
    note: text => void write(style.dim(`* ${text}`)),
    clear() {
      lines.length = 0
      drawSoon()
    },
    status(text, next) {
      if (text === status && next === prompt) return
      status = text
      prompt = next
      drawSoon()
    },
    close() {
      if (closed) return
      closed = true
      clearTimeout(timer)
      input.off('keypress', onKey)
      output.off('resize', drawSoon)
      reader.close()
      output.write('\u001b[?1049l')
    },
  }
}

function lineOf(reader: Interface): string {
  return reader.line
}

/** The last rows that fit. */
function lastRows(texts: readonly { text: string }[], columns: number, rows: number): string[] {
  let visible: string[] = []
  for (let at = texts.length - 1; at >= 0 && visible.length < rows; at--)
    visible = [...(texts[at]?.text ?? '').split('\n').flatMap(line => rowsOf(line, columns)), ...visible]
  return visible.slice(-rows)
}

/** A line as rows. All but the first are indented: whatever is written, no row begins like another message. */
export function rowsOf(line: string, columns: number): string[] {
  const rows: string[] = []
  let [row, width] = ['', 0]
  for (const part of line.split(/(\p{Cc}\[\d+m)/u)) {
    for (const one of part.startsWith('\u001b') ? [] : graphemes(part)) {
      const taken = widthOf(one)
      if (width + taken > columns) {
        rows.push(row)
        ;[row, width] = ['  ', 2]
      }
      row += one
      width += taken
    }
    if (part.startsWith('\u001b')) row += part
  }
  return [...rows, row]
}

/** The status line, which must stay one. */
function cut(text: string, columns: number): string {
  if (widthOf(text) < columns) return text
  let [shown, width] = ['', 1]
  for (const one of graphemes(stripVTControlCharacters(text))) {
    width += widthOf(one)
    if (width >= columns) break
    shown += one
  }
  return `${shown}…`
}
