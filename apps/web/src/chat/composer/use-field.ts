/** The text of the field, which the field itself keeps, and the little of it that something else is drawn by. */
import { type RefObject, useCallback, useState } from 'react'
import { type Query, queryAt } from './complete.ts'

export interface Field {
  readonly isEmpty: boolean
  /** What is being completed at the caret. */
  readonly query: Query | undefined
  text(): string
  /** The text or the caret has changed. */
  wrote(): void
  write(text: string, caret?: number): void
  endQuery(): void
}

export function useField(area: RefObject<HTMLTextAreaElement | null>): Field {
  const [isEmpty, setEmpty] = useState(true)
  const [query, setQuery] = useState<Query>()
  const text = useCallback(() => area.current?.value ?? '', [area])
  const wrote = useCallback(() => {
    const { current } = area
    if (current === null) return
    setEmpty(current.value.trim() === '')
    setQuery(queryAt(current.value, current.selectionEnd))
    fit(current)
  }, [area])
  const write = useCallback(
    (text: string, caret = text.length) => {
      const { current } = area
      if (current === null) return
      put(current, text, caret)
      wrote()
    },
    [area, wrote],
  )
  const endQuery = useCallback(() => setQuery(undefined), [])
  return { isEmpty, query, text, wrote, write, endQuery }
}

function put(area: HTMLTextAreaElement, text: string, caret: number): void {
  area.value = text
  area.setSelectionRange(caret, caret)
}

/** Browsers that know it fit the field by themselves. */
function fit(area: HTMLTextAreaElement): void {
  if (CSS.supports('field-sizing', 'content')) return
  area.style.height = 'auto'
  area.style.height = `${area.scrollHeight}px`
}
