/** What the keys do in the field. */
import type { KeyboardEvent } from 'react'
import { isMac } from '../hooks.ts'
import { shortcutOf } from '../keymap.ts'
import { isComposing, sends } from './enter.ts'

interface FieldActions {
  /** @returns whether the key was for the list of completions */
  choose(key: string): boolean
  pickEmoji(): void
  submit(): void
  /** @returns false where there is nothing to be changed */
  editLast(): boolean
  /** Out of what is being completed, answered or changed. @returns whether there was any such thing */
  leave(): boolean
}

export function pressIn(event: KeyboardEvent<HTMLTextAreaElement>, actions: FieldActions): void {
  const { nativeEvent } = event
  if (isComposing(nativeEvent)) return
  if (actions.choose(event.key)) {
    event.preventDefault()
    return event.stopPropagation()
  }
  if (shortcutOf(nativeEvent, 'composer', { isInField: true, isMac }) === 'emoji') {
    event.preventDefault()
    return actions.pickEmoji()
  }
  if (sends(nativeEvent)) {
    event.preventDefault()
    return actions.submit()
  }
  const isPlainUp = event.key === 'ArrowUp' && !event.shiftKey && !event.altKey
  if (isPlainUp && event.currentTarget.value === '' && actions.editLast()) return event.preventDefault()
  if (event.key === 'Escape' && actions.leave()) event.stopPropagation()
}
