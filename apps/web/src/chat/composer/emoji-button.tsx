/** Opens the picker of emoji, and writes what is picked in the place of the caret. */
import { type RefObject, useRef } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { EmojiPopover } from '../emoji/emoji-popover.tsx'
import { Icon } from '../../ui/icon.tsx'

interface EmojiProps {
  readonly area: RefObject<HTMLTextAreaElement | null>
  readonly isOpen: boolean
  onOpenChange(isOpen: boolean): void
}

export function EmojiButton({ area, isOpen, onOpenChange }: EmojiProps) {
  const { t } = useTranslation()
  const button = useRef<HTMLButtonElement>(null)
  const insert = (words: string) => {
    const { current } = area
    if (current === null) return
    current.focus()
    current.setRangeText(words, current.selectionStart, current.selectionEnd, 'end')
    current.dispatchEvent(new Event('input', { bubbles: true }))
  }
  return (
    <>
      <button
        ref={button}
        type="button"
        aria-label={t('chat.composer.emoji')}
        aria-haspopup="dialog"
        aria-expanded={isOpen}
        data-emoji
        onClick={() => onOpenChange(true)}
        className="m-0.5 grid size-9 shrink-0 place-items-center rounded-full text-soft hover:bg-hover hover:text-ink"
      >
        <Icon name="smile" />
      </button>
      {isOpen && <EmojiPopover at={button} onPick={insert} onClose={() => onOpenChange(false)} />}
    </>
  )
}
