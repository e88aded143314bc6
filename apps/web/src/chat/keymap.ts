/**
 * All keys of the conversations in one place: what listens reads them here, and the sheet that `?` opens is made of them. By
 * `event.key` first, then by `event.code`, so that letters are found on layouts of other scripts.
 */
export interface Shortcut {
  readonly id: ShortcutId
  /** `mod` is Cmd on a Mac, and Ctrl elsewhere. */
  readonly keys: readonly string[]
  readonly section: 'page' | 'list' | 'timeline' | 'composer'
  /** Letters are for typing while the focus is in a field. */
  readonly alsoInFields?: true
}

export type ShortcutId =
  | 'find'
  | 'newConversation'
  | 'nextConversation'
  | 'previousConversation'
  | 'nextUnread'
  | 'regions'
  | 'sheet'
  | 'close'
  | 'open'
  | 'menu'
  | 'up'
  | 'down'
  | 'latest'
  | 'reply'
  | 'react'
  | 'edit'
  | 'thread'
  | 'copy'
  | 'remove'
  | 'send'
  | 'newLine'
  | 'editLast'
  | 'emoji'

export const keymap: readonly Shortcut[] = [
  { id: 'find', keys: ['mod+k'], section: 'page', alsoInFields: true },
  { id: 'newConversation', keys: ['mod+shift+o'], section: 'page', alsoInFields: true },
  { id: 'nextConversation', keys: ['alt+ArrowDown'], section: 'page', alsoInFields: true },
  { id: 'previousConversation', keys: ['alt+ArrowUp'], section: 'page', alsoInFields: true },
  { id: 'nextUnread', keys: ['alt+shift+ArrowDown'], section: 'page', alsoInFields: true },
  { id: 'regions', keys: ['F6', 'shift+F6'], section: 'page', alsoInFields: true },
  { id: 'sheet', keys: ['?'], section: 'page' },
  { id: 'close', keys: ['Escape'], section: 'page', alsoInFields: true },
  { id: 'open', keys: ['Enter'], section: 'list' },
  { id: 'menu', keys: ['shift+F10', 'ContextMenu'], section: 'list' },
  { id: 'up', keys: ['ArrowUp', 'k'], section: 'timeline' },
  { id: 'down', keys: ['ArrowDown', 'j'], section: 'timeline' },
  { id: 'latest', keys: ['End'], section: 'timeline' },
  { id: 'reply', keys: ['r'], section: 'timeline' },
  { id: 'react', keys: ['+'], section: 'timeline' },
  { id: 'edit', keys: ['e'], section: 'timeline' },
  { id: 'thread', keys: ['t'], section: 'timeline' },
  { id: 'copy', keys: ['c'], section: 'timeline' },
  { id: 'remove', keys: ['Delete'], section: 'timeline' },
  { id: 'send', keys: ['Enter'], section: 'composer', alsoInFields: true },
  { id: 'newLine', keys: ['shift+Enter'], section: 'composer', alsoInFields: true },
  { id: 'editLast', keys: ['ArrowUp'], section: 'composer', alsoInFields: true },
  { id: 'emoji', keys: ['mod+e'], section: 'composer', alsoInFields: true },
]

export interface Pressed {
  readonly key: string
  readonly code: string
  readonly ctrlKey: boolean
  readonly metaKey: boolean
  readonly altKey: boolean
  readonly shiftKey: boolean
}

/** What of a section a key press means. */
export function shortcutOf(
  pressed: Pressed,
  section: Shortcut['section'],
  { isInField, isMac }: { readonly isInField: boolean; readonly isMac: boolean },
): ShortcutId | undefined {
  return keymap.find(
    shortcut =>
      shortcut.section === section &&
      (shortcut.alsoInFields === true || !isInField) &&
      shortcut.keys.some(keys => isPressed(keys, pressed, isMac)),
  )?.id
}

function isPressed(keys: string, pressed: Pressed, isMac: boolean): boolean {
  const parts = keys.split(/\+(?=.)/)
  const key = parts.at(-1)!
  const has = (part: string) => parts.slice(0, -1).includes(part)
  const mod = has('mod')
  if (pressed.ctrlKey !== (mod && !isMac) || pressed.metaKey !== (mod && isMac)) return false
  if (pressed.altKey !== has('alt')) return false
  // A mark such as ? needs Shift on some layouts and not on others.
  const isMark = key.length === 1 && !/[a-z]/.test(key)
  if (!isMark && pressed.shiftKey !== has('shift')) return false
  if (pressed.key.toLowerCase() === key.toLowerCase()) return true
  // The place of the key counts where what it writes is no Latin letter.
  return /^[a-z]$/.test(key) && !/^[a-z]$/i.test(pressed.key) && pressed.code === `Key${key.toUpperCase()}`
}

/** As the sheet shows it: `Ctrl K`, `⌘ K`. */
export function shownKeys(keys: string, isMac: boolean): readonly string[] {
  const shown: Readonly<Record<string, string>> = {
    mod: isMac ? '⌘' : 'Ctrl',
    alt: isMac ? '⌥' : 'Alt',
    shift: isMac ? '⇧' : 'Shift',
    ArrowUp: '↑',
    ArrowDown: '↓',
    Escape: 'Esc',
    ContextMenu: '☰',
  }
  return keys.split(/\+(?=.)/).map(key => shown[key] ?? (key.length === 1 ? key.toUpperCase() : key))
}
