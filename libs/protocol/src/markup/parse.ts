/**
 * The mark-up of messages: a text in, its tree out. Any text has one; nothing throws. What it costs is linear in the length
 * of the text, its depth and its nodes have limits, and what lies beyond them is shown as it was written.
 */
import { parseInline } from './inline.ts'
import {
  type Block,
  type ListItem,
  listLevelMax,
  type Meter,
  nodesMax,
  quoteDepthMax,
  sourceLengthMax,
} from './tree.ts'

/** What a message says, for whoever shows it. */
export const parseMarkup = (source: string): Block[] => parseMetered(source, { steps: 0, nodes: 0 })

/** The same, and what it costs. */
export function parseMetered(source: string, meter: Meter): Block[] {
  if (source.length > sourceLengthMax) return [{ type: 'paragraph', children: [{ type: 'text', text: source }] }]
  return parseLines(source.split('\n'), 0, meter)
}

const fence = /^```([\w+#.-]{0,32})\s*$/
const quoted = /^>(?: |$)/
/** Bullets, and numbers of up to nine digits. */
/** Its blanks are at most `indentLengthMax`. */
const item = /^( {0,12})(?:[-*•]|(\d{1,9})[.)]) +(?=\S)/

const endsCode = (line: string) => line.trimEnd().endsWith('```')

function parseLines(lines: readonly string[], depth: number, meter: Meter): Block[] {
  const blocks: Block[] = []
  /** A fence that begins after it is never closed. */
  const lastEnd = lines.findLastIndex(endsCode)
  let paragraph: string[] = []
  const endParagraph = () => {
    if (paragraph.length === 0) return
    meter.nodes += 1
    blocks.push({ type: 'paragraph', children: parseInline(paragraph.join('\n'), meter) })
    paragraph = []
  }
  for (let at = 0; at < lines.length; ) {
    const line = lines[at]!
    // The tests of a line look at its beginning, and at its end for a fence.
    meter.steps += 1 + line.length
    const taken = meter.nodes < nodesMax ? takeBlock(lines, at, { depth, lastEnd, meter }) : undefined
    if (taken === undefined) {
      paragraph.push(line)
      at += 1
      continue
    }
    endParagraph()
    meter.nodes += 1
    blocks.push(taken.block)
    at = taken.next
  }
  endParagraph()
  return blocks
}

interface Place {
  readonly depth: number
  readonly lastEnd: number
  readonly meter: Meter
}

/** The block that begins at a line, if that is not a paragraph. */
function takeBlock(
  lines: readonly string[],
  at: number,
  { depth, lastEnd, meter }: Place,
): { readonly block: Block; readonly next: number } | undefined {
  const line = lines[at]!
  const language = at < lastEnd ? fence.exec(line)?.[1] : undefined
  if (language !== undefined) {
    let end = at + 1
    while (!endsCode(lines[end]!)) meter.steps += lines[end++]!.length
    // The fence may stand behind the last line.
    const last = lines[end]!.trimEnd().slice(0, -3)
    const text = [...lines.slice(at + 1, end), ...(last === '' ? [] : [last])].join('\n')
    return { block: { type: 'code_block', ...(language === '' ? {} : { language }), text }, next: end + 1 }
  }
  if (depth < quoteDepthMax && quoted.test(line)) {
    let end = at
    while (end < lines.length && quoted.test(lines[end]!)) end++
    const inner = lines.slice(at, end).map(one => one.replace(quoted, ''))
    return { block: { type: 'quote', children: parseLines(inner, depth + 1, meter) }, next: end }
  }
  const items: ListItem[] = []
  for (let end = at; meter.nodes < nodesMax; end++) {
    const found = item.exec(lines[end] ?? '')
    if (found === null) break
    meter.steps += lines[end]!.length
    meter.nodes += 1
    const [mark, indent = '', number] = found
    items.push({
      level: Math.min(listLevelMax - 1, Math.floor(indent.length / 2)),
      ...(number === undefined ? {} : { number: Number(number) }),
      children: parseInline(lines[end]!.slice(mark.length), meter),
    })
  }
  return items.length === 0 ? undefined : { block: { type: 'list', items }, next: at + items.length }
}
