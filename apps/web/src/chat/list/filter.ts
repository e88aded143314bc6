/** Which conversations a list shows: by words of their names, and by what waits in them. Pure. */
import type { ConversationItem } from '@flotilla/sdk/state'
import { plain } from '../composer/complete.ts'

export type Filter = 'all' | 'unread' | 'direct' | 'groups'
export const filters: readonly Filter[] = ['all', 'unread', 'direct', 'groups']

const passes: Readonly<Record<Filter, (item: ConversationItem) => boolean>> = {
  all: () => true,
  unread: item => item.unread > 0 || item.markedUnread,
  direct: item => item.kind === 'direct',
  groups: item => item.kind === 'group',
}

/** Every word of the search begins a word of the name, or the name that the other person signs in by. */
export function choose(
  items: readonly ConversationItem[],
  filter: Filter,
  search: string,
): readonly ConversationItem[] {
  const words = plain(search).split(/\s+/).filter(Boolean)
  if (filter === 'all' && words.length === 0) return items
  return items.filter(item => passes[filter](item) && matches(item, words))
}

function matches({ name, other }: ConversationItem, words: readonly string[]): boolean {
  if (words.length === 0) return true
  const names = plain(`${name} ${other?.username ?? ''}`).split(/[\s\-_.@]+/)
  return words.every(word => names.some(one => one.startsWith(word)))
}
