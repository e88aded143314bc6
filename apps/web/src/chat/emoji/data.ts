/** Emoji with their names, in the reader's language where there is one: chunks of their own, from our own origin. */
import { plain } from '../composer/complete.ts'

/** As the data has it. */
interface CompactEmoji {
  readonly unicode: string
  readonly label: string
  readonly group?: number
  readonly order?: number
  readonly tags?: readonly string[]
}

export interface Emoji {
  readonly emoji: string
  readonly name: string
  /** The group that it is shown in. */
  readonly group: number
  /** What it is found by. */
  readonly words: readonly string[]
}

/** People and body is one with the smileys; parts of others (2) are no emoji by themselves. */
export const groups = [
  { id: 'smileys', shown: '😀', numbers: [0] },
  { id: 'people', shown: '👋', numbers: [1] },
  { id: 'nature', shown: '🐻', numbers: [3] },
  { id: 'food', shown: '🍎', numbers: [4] },
  { id: 'travel', shown: '🚗', numbers: [5] },
  { id: 'activities', shown: '⚽', numbers: [6] },
  { id: 'objects', shown: '💡', numbers: [7] },
  { id: 'symbols', shown: '❤️', numbers: [8] },
  { id: 'flags', shown: '🏁', numbers: [9] },
] as const

const languages: Readonly<Record<string, () => Promise<{ readonly default: readonly CompactEmoji[] }>>> = {
  de: () => import('emojibase-data/de/compact.json'),
  en: () => import('emojibase-data/en/compact.json'),
}

const loaded = new Map<string, Promise<readonly Emoji[]>>()

export function loadEmoji(language: string): Promise<readonly Emoji[]> {
  const name = language in languages ? language : 'en'
  const known = loaded.get(name)
  if (known !== undefined) return known
  const loading = languages[name]!().then(({ default: all }) => read(all))
  loaded.set(name, loading)
  // A chunk that did not come is asked for again.
  loading.catch(() => loaded.delete(name))
  return loading
}

const read = (all: readonly CompactEmoji[]): readonly Emoji[] =>
  all
    .filter(({ group }) => group !== undefined && group !== 2)
    .sort((one, other) => (one.order ?? 0) - (other.order ?? 0))
    .map(({ unicode, label, group, tags = [] }) => ({
      emoji: unicode,
      name: label,
      group: group!,
      words: [...plain(label).split(/[^\p{L}\p{N}]+/u), ...tags.map(plain)].filter(Boolean),
    }))

/** Names that begin with it first, then those with a word that does. */
export function matchEmoji(all: readonly Emoji[], query: string, shownMax: number): readonly Emoji[] {
  const wanted = plain(query)
    .split(/[\s_]+/)
    .filter(Boolean)
  if (wanted.length === 0) return []
  const rank = ({ name, words }: Emoji) =>
    plain(name).startsWith(wanted.join(' '))
      ? 0
      : wanted.every(part => words.some(word => word.startsWith(part)))
        ? 1
        : 2
  const ranked = all.map(one => ({ one, rank: rank(one) }))
  return [0, 1]
    .flatMap(wantedRank => ranked.filter(({ rank }) => rank === wantedRank))
    .slice(0, shownMax)
    .map(({ one }) => one)
}

const recentKey = 'flotilla.emoji'
const recentMax = 16

/** What was used last on this device. No secrets. */
export function recentEmoji(): readonly string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(recentKey) ?? '[]')
    return Array.isArray(kept) ? kept.filter(one => typeof one === 'string').slice(0, recentMax) : []
  } catch {
    return []
  }
}

export function remember(emoji: string): void {
  try {
    localStorage.setItem(recentKey, JSON.stringify([...new Set([emoji, ...recentEmoji()])].slice(0, recentMax)))
  } catch {
    // Storage is off: nothing is remembered.
  }
}
