/** What is being completed at the caret of the composer, and what a text mentions in the end. Pure. */
import { type Block, type Inline, parseMarkup } from '@flotilla/protocol/markup'

export interface Query {
  readonly trigger: '@' | ':'
  /** Where the trigger stands. */
  readonly from: number
  readonly text: string
}

const queryLengthMax = 32
const emojiQueryMin = 2

/** What stands before the caret, if it asks for a completion. */
export function queryAt(text: string, caret: number): Query | undefined {
  const before = text.slice(Math.max(0, caret - queryLengthMax - 2), caret)
  const found = /(?:^|[\s([{"'*_~|>])([@:])([\p{L}\p{N}\p{M}_.+-]*)$/u.exec(before)
  if (found === null) return undefined
  const [, trigger, query = ''] = found
  if (trigger === ':' && query.length < emojiQueryMin) return undefined
  return { trigger: trigger === '@' ? '@' : ':', from: caret - query.length - 1, text: query }
}

/** The text with the completion in the place of the query, a blank behind it, and the caret behind that. */
export function complete(text: string, query: Query, words: string): { readonly text: string; readonly caret: number } {
  const before = text.slice(0, query.from)
  const after = text.slice(query.from + 1 + query.text.length)
  const blank = after.startsWith(' ') ? '' : ' '
  return { text: `${before}${words}${blank}${after}`, caret: before.length + words.length + 1 }
}

interface Named {
  readonly id: string
  readonly username: string
  readonly displayName: string
}

const shownMax = 8
/** What everybody in a group is called by. */
export const everyone = 'everyone'

/** Whom a query may mean: names that begin with it, then names with a word that does. */
export function matchPeople<T extends Named>(people: readonly T[], query: string): T[] {
  const wanted = plain(query)
  const rank = ({ username, displayName }: T) => {
    if (plain(username).startsWith(wanted) || plain(displayName).startsWith(wanted)) return 0
    return plain(displayName)
      .split(/[\s-]+/)
      .some(word => word.startsWith(wanted))
      ? 1
      : 2
  }
  return people
    .map(person => ({ person, rank: rank(person) }))
    .filter(({ rank }) => rank < 2)
    .sort((one, other) => one.rank - other.rank)
    .slice(0, shownMax)
    .map(({ person }) => person)
}

/** Without case and accents, as people search. */
export const plain = (text: string): string => text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase()

/** Whom a text mentions: names in code mean nobody. */
export function mentionsIn(
  text: string,
  people: readonly Named[],
  mentionsMax: number,
): { readonly mentions: readonly string[]; readonly all: boolean } {
  if (!text.includes('@')) return { mentions: [], all: false }
  const names = new Set<string>()
  for (const block of parseMarkup(text)) collect(block, names)
  const mentions = people.filter(({ username }) => names.has(username.toLowerCase())).map(({ id }) => id)
  const isTaken = people.some(({ username }) => username.toLowerCase() === everyone)
  return { mentions: mentions.slice(0, mentionsMax), all: names.has(everyone) && !isTaken }
}

function collect(node: Block | Inline, names: Set<string>): void {
  if (node.type === 'mention') names.add(node.name.toLowerCase())
  const below: readonly (Block | Inline)[] =
    'children' in node ? node.children : 'items' in node ? node.items.flatMap(item => item.children) : []
  for (const child of below) collect(child, names)
}
