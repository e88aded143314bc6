/** The keys that work wherever the focus is. */
import { useNavigate } from '../app/navigation.tsx'
import { useEffect } from 'react'
import { isMac, useChat } from './hooks.ts'
import { shortcutOf } from './keymap.ts'
import type { Sheet } from './sheet.ts'

export function usePageKeys(open: string | undefined, setSheet: (sheet: Sheet) => void): void {
  const { state } = useChat()
  const navigate = useNavigate()
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const { target } = event
      // A dialog has its own keys.
      if (target instanceof Element && target.closest('[role="dialog"], [role="alertdialog"], [role="menu"]') !== null)
        return
      const id = shortcutOf(event, 'page', { isInField: isField(target), isMac })
      const { items } = state.conversations.get()
      const at = items.findIndex(item => item.id === open)
      const to = (nth: number) => {
        const item = items[nth]
        if (item !== undefined) navigate({ to: '/c/$conversation', params: { conversation: item.id } })
      }
      switch (id) {
        case 'find':
          setSheet('find')
          break
        case 'newConversation':
          setSheet('new')
          break
        case 'sheet':
          setSheet('keys')
          break
        case 'nextConversation':
          to(at + 1)
          break
        case 'previousConversation':
          to(at < 0 ? items.length - 1 : at - 1)
          break
        case 'nextUnread':
          to(items.findIndex((item, nth) => nth !== at && (item.unread > 0 || item.markedUnread)))
          break
        case 'regions':
          nextRegion(event.shiftKey ? -1 : 1)
          break
        default:
          return
      }
      event.preventDefault()
    }
    addEventListener('keydown', onKeyDown)
    return () => removeEventListener('keydown', onKeyDown)
  }, [state, navigate, open, setSheet])
}

/** One writes in it: in a choice of several nobody does. */
const isField = (target: EventTarget | null) =>
  target instanceof HTMLElement &&
  (target.isContentEditable || target.matches('input:not([type="radio"]), textarea, select'))

/** Where a region is entered: where one writes or stands in it, else its first stop. */
const stops =
  '[data-composer] textarea, [data-conversations] [tabindex="0"], [data-timeline], a[href]:not([tabindex="-1"]), button:not([tabindex="-1"]):not(:disabled), input'

function nextRegion(step: number): void {
  const regions = [...document.querySelectorAll<HTMLElement>('[data-region]')].filter(one => one.offsetParent !== null)
  const at = regions.findIndex(region => region.contains(document.activeElement))
  const next = regions[(at + step + regions.length) % Math.max(1, regions.length)]
  const found = stops
    .split(', ')
    .map(stop => next?.querySelector<HTMLElement>(stop))
    .find(one => one !== null && one !== undefined && one.offsetParent !== null)
  found?.focus()
}
