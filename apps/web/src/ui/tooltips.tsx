/**
 * The words of the signs (icon-button.tsx), one at a time for the whole page: where the pointer rests on a sign, and where the
 * keyboard comes to it.
 */
import { useEffect, useMemo, useState } from 'react'
import { Tooltip, TooltipTrigger } from 'react-aria-components'

/** A pointer that passes by opens none. */
const openMs = 600
/** Time to go on to the next sign, whose words are shown at once, or onto the words themselves. */
const closeMs = 500

const sign = '[data-tooltip]:enabled'

export function Tooltips() {
  const [shown, setShown] = useState<Element>()
  useEffect(() => watch(setShown), [])
  const at = useMemo(() => ({ current: shown ?? null }), [shown])
  if (shown === undefined) return null
  return (
    <TooltipTrigger key={shown.ariaLabel} isOpen>
      <Tooltip triggerRef={at} offset={6} className="rounded-small bg-ink px-2 py-1 text-tiny text-canvas shadow-float">
        {shown.ariaLabel}
      </Tooltip>
    </TooltipTrigger>
  )
}

const closestOf = ({ target }: Event, selector: string) =>
  target instanceof Element ? (target.closest(selector) ?? undefined) : undefined

/** @param show told of whose words are to be seen @returns what ends it */
function watch(show: (at: Element | undefined) => void): () => void {
  let shown: Element | undefined
  let wanted: Element | undefined
  /** It does what it says now; its words come back when the pointer does. */
  let pressed: Element | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  const want = (next: Element | undefined, afterMs: number) => {
    if (next === wanted && afterMs > 0) return
    wanted = next
    clearTimeout(timer)
    timer = setTimeout(() => show((shown = next)), afterMs)
  }
  const heard: Partial<{ [Name in keyof DocumentEventMap]: (event: DocumentEventMap[Name]) => void }> = {
    pointerover(event) {
      if (event.pointerType === 'touch') return
      const over = closestOf(event, `${sign}, [role=tooltip]`)
      if (over !== undefined && over === pressed) return
      pressed = undefined
      if (over === undefined) want(undefined, closeMs)
      else if (over.role === 'tooltip') want(shown, 0)
      else want(over, shown === undefined ? openMs : 0)
    },
    pointerdown(event) {
      pressed = closestOf(event, sign)
      want(undefined, 0)
    },
    focusin(event) {
      want(closestOf(event, `${sign}:focus-visible`), 0)
    },
    focusout: () => want(undefined, 0),
    keydown(event) {
      // The first one is for the tooltip, the next for what is below it.
      if (event.key === 'Escape' && shown !== undefined) event.stopPropagation()
      want(undefined, 0)
    },
    scroll({ target }) {
      if (shown !== undefined && target instanceof Node && target.contains(shown)) want(undefined, 0)
    },
  }
  const all = Object.entries(heard) as [string, (event: Event) => void][]
  for (const [name, hear] of all) document.addEventListener(name, hear, { capture: true, passive: true })
  return () => {
    clearTimeout(timer)
    for (const [name, hear] of all) document.removeEventListener(name, hear, { capture: true })
  }
}
