/** What a message says, as lines for the terminal. Spoilers are hidden unless they are asked for. */
import {
  type Body,
  bodyAs,
  type ContactBody,
  type EntryOf,
  isolated,
  type LocationBody,
  textOf,
} from '@flotilla/protocol'
import { type Block, hiddenText, type Inline, type ListItem, parseMarkup, previewText } from '@flotilla/protocol/markup'
import { type About, harmless, style } from './chat-screen.ts'

const previewGraphemesMax = 160

/**
 * The first line stands behind a name; the others are indented, so that nobody writes lines that look like another's.
 * @param nameOf knows people by their id; undefined for those whom the reader does not know
 */
export function linesOf(body: Body, nameOf: (user: string) => string | undefined, open = false): string {
  const text = bodyAs('text', body)
  const blocks = text === undefined ? [] : parseMarkup(text.text)
  const words = text === undefined ? wordsOf(body, nameOf) : blocks.map(block => blockLines(block, open)).join('\n')
  const lines = words.split('\n').map(isolated)
  const isApart = lines.length > 1 && blocks[0]?.type !== 'paragraph' && text !== undefined
  return (isApart ? ['', ...lines] : lines).join('\n  ')
}

/** Its beginning, where a message is named in passing. */
export const previewOf = (body: Body): string =>
  bodyAs('text', body) === undefined ? harmless(textOf(body)) : harmless(previewText(textOf(body), previewGraphemesMax))

/** What somebody wrote, as it is told to programs. */
export const messageOf = ({ conversation, seq, at, body }: EntryOf<'message.new'>, by: string): About => ({
  event: 'message',
  conversation,
  seq,
  at,
  by,
  text: textOf(body),
})

/** Whether something in it is hidden. */
export function hasSpoiler(body: Body): boolean {
  const holds = (node: Inline | Block): boolean => {
    if (node.type === 'spoiler') return true
    if (node.type === 'list') return node.items.some(item => item.children.some(holds))
    return 'children' in node && node.children.some(holds)
  }
  const text = bodyAs('text', body)
  return text !== undefined && parseMarkup(text.text).some(holds)
}

/** A place or a card on one line: for the terminal, and for clients that do not know such a body. */
export function locationWords({
  latitude,
  longitude,
  accuracyM,
  name,
  address,
}: Omit<LocationBody, 'fallback'>): string {
  const place = [name, address].filter(one => one !== undefined).join(', ')
  const accuracy = accuracyM === undefined ? '' : ` ± ${accuracyM} m`
  const point = `${latitude}, ${longitude}${accuracy}`
  return place === '' ? point : `${place} (${point})`
}

export function contactWords(
  { name, organization, phones = [], emails = [], user }: Omit<ContactBody, 'fallback'>,
  nameOf: (user: string) => string | undefined,
): string {
  const known = user === undefined ? undefined : nameOf(user)
  const ways = [...phones, ...emails, ...(known === undefined ? [] : [`@${known}`])]
  const whose = organization === undefined ? name : `${name}, ${organization}`
  return ways.length === 0 ? whose : `${whose}: ${ways.join(', ')}`
}

function wordsOf(body: Body, nameOf: (user: string) => string | undefined): string {
  const location = bodyAs('location', body)
  if (location !== undefined) return harmless(`📍 ${locationWords(location)}`)
  const contact = bodyAs('contact', body)
  return harmless(contact === undefined ? textOf(body) : `👤 ${contactWords(contact, nameOf)}`)
}

function blockLines(block: Block, open: boolean): string {
  if (block.type === 'paragraph') return inlineText(block.children, open)
  if (block.type === 'code_block') return eachLine(block.text, line => `  ${style.yellow(harmless(line))}`)
  if (block.type === 'list') return block.items.map(item => itemLines(item, open)).join('\n')
  return eachLine(block.children.map(child => blockLines(child, open)).join('\n'), line => `│ ${line}`)
}

const itemLines = ({ level, number, children }: ListItem, open: boolean): string =>
  `${'  '.repeat(level)}${number === undefined ? '•' : `${number}.`} ${inlineText(children, open)}`

const inlineText = (children: readonly Inline[], open: boolean): string =>
  children.map(node => nodeText(node, open)).join('')

function nodeText(node: Inline, open: boolean): string {
  switch (node.type) {
    case 'text':
      return eachLine(node.text, harmless)
    case 'code':
      return eachLine(node.text, line => style.yellow(harmless(line)))
    case 'mention':
      return style.cyan(`@${node.name}`)
    case 'link': {
      const words = inlineText(node.children, open)
      const isBare =
        node.children.length === 1 && node.children[0]?.type === 'text' && node.children[0].text === node.url
      // Whatever the words say, the reader sees where it leads.
      return isBare ? style.underline(words) : `${eachLine(words, style.underline)} (${node.url})`
    }
    case 'spoiler':
      return open ? eachLine(inlineText(node.children, open), style.inverse) : hiddenText
    default:
      return eachLine(inlineText(node.children, open), style[node.type])
  }
}

/** A style ends with its line: the screen may show one without the other. */
const eachLine = (text: string, change: (line: string) => string): string => text.split('\n').map(change).join('\n')
