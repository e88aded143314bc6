/** A tree as text, where there is nothing but text: pushes, previews, search. And the way back, for text that is no mark-up. */
import { cutText } from '../text.ts'
import { indentLengthMax, isEscaped, lineMark } from './inline.ts'
import { parseMarkup } from './parse.ts'
import type { Block, Inline, ListItem } from './tree.ts'

/** What stands in the place of a spoiler; it does not tell how much is hidden. */
export const hiddenText = '▒▒▒▒▒'

/** What a reader sees without asking for spoilers: words without their marks. Of a link the words, not the target. */
export const plainText = (blocks: readonly Block[]): string => blocks.map(plainBlock).join('\n')

function plainBlock(block: Block): string {
  if (block.type === 'code_block') return block.text
  if (block.type === 'paragraph') return plainInline(block.children)
  if (block.type === 'list') return block.items.map(plainItem).join('\n')
  return plainText(block.children)
    .split('\n')
    .map(line => `> ${line}`)
    .join('\n')
}

const plainItem = ({ level, number, children }: ListItem) =>
  `${'  '.repeat(level)}${number === undefined ? '-' : `${number}.`} ${plainInline(children)}`

const plainInline = (children: readonly Inline[]): string => children.map(plainNode).join('')

function plainNode(node: Inline): string {
  if (node.type === 'spoiler') return hiddenText
  if (node.type === 'mention') return `@${node.name}`
  return 'children' in node ? plainInline(node.children) : node.text
}

/**
 * A text on one line: its beginning, cut between two graphemes, with … where something was cut off.
 * @param text as it was written
 * @param lengthMax code points, where not each grapheme may have as many as any has
 */
export const previewText = (text: string, graphemesMax: number, lengthMax?: number): string =>
  cutText(
    plainText(parseMarkup(text))
      .replace(/[\s\p{Cc}]+/gu, ' ')
      .trim(),
    { graphemesMax, end: '…', ...(lengthMax === undefined ? {} : { lengthMax }) },
  )

/** Text that is shown as it is, whatever marks it holds: for programs that put the words of others into a message. */
export const escapeMarkup = (text: string): string => text.split('\n').map(escapeLine).join('\n')

function escapeLine(line: string): string {
  const indent = /^[ \\]*/.exec(line)![0].length
  const isMarked = indent <= indentLengthMax && lineMark.test(line.slice(indent))
  let escaped = isMarked ? `${line.slice(0, indent)}\\` : ''
  for (const letter of line.slice(isMarked ? indent : 0))
    escaped += isEscaped(letter, escaped.at(-1) ?? '') ? `\\${letter}` : letter
  return escaped
}
