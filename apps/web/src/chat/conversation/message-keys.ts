/** The keys of a message that has the focus: single letters, as the keymap has them. */
import type { MessageRow } from '@flotilla/sdk/state'
import type { KeyboardEvent, RefObject } from 'react'
import { rightsTo } from '../access.ts'
import { isMac } from '../hooks.ts'
import { shortcutOf } from '../keymap.ts'
import { wordsOf } from '../message/message-row.tsx'
import type { ConversationContextValue } from './context.ts'

export interface MessageActs {
  edit(message: MessageRow): void
  remove(message: MessageRow): void
}

/** @returns whether the key was for the message */
export function pressOn(
  event: KeyboardEvent,
  message: MessageRow,
  context: ConversationContextValue,
  acts: MessageActs,
): boolean {
  const rights = rightsTo(message, context.view)
  const at: RefObject<Element | null> = {
    current: event.currentTarget.querySelector(`[data-key="${CSS.escape(message.key)}"] > div`),
  }
  const taken = () => {
    switch (shortcutOf(event.nativeEvent, 'timeline', { isInField: false, isMac })) {
      case 'reply':
        return rights.reply && act(() => context.reply(message))
      case 'react':
        return rights.react && act(() => context.openReactions(message, at))
      case 'edit':
        return rights.edit && act(() => acts.edit(message))
      case 'thread':
        return (
          rights.reply && !context.isThread && message.seq !== undefined && act(() => context.openThread(message.seq!))
        )
      case 'remove':
        return rights.remove && act(() => acts.remove(message))
      case 'copy':
        return act(() => void navigator.clipboard.writeText(wordsOf(message)))
      default:
        // On the row itself: inside it, Enter presses what has the focus.
        return isMenuKey(event) && act(() => context.openMenu(message, at))
    }
  }
  if (!taken()) return false
  event.preventDefault()
  return true
}

function act(what: () => void): true {
  what()
  return true
}

const isMenuKey = ({ key, shiftKey, target }: KeyboardEvent) =>
  key === 'ContextMenu' || (key === 'F10' && shiftKey) || (key === 'Enter' && (target as Element).matches('[data-key]'))
