/** The row that has the focus, or had it last: the list is one stop of the Tab key, and the arrow keys go from row to row. */
import { type FocusEvent, type KeyboardEvent, useCallback, useState } from 'react'
import type { Placed } from './arrange.ts'

interface Rows {
  readonly shown: readonly Placed[]
  readonly scroller: { readonly current: HTMLElement | null }
  /** A key press on a row. @returns whether it was taken */
  onRowKey(event: KeyboardEvent, row: Placed): boolean
  /** Brings a row into view. */
  onMove(nth: number): void
}

export function useRowFocus({ shown, scroller, onRowKey, onMove }: Rows) {
  const [active, setActive] = useState<string>()
  const activeAt = shown.findIndex(row => row.key === active)

  const focusKey = useCallback(
    (key: string) => {
      setActive(key)
      requestAnimationFrame(() => rowOf(scroller.current, key)?.focus({ preventScroll: true }))
    },
    [scroller],
  )
  const onFocus = (event: FocusEvent) => {
    const key = event.target.closest<HTMLElement>('[data-key]')?.dataset['key']
    if (key !== undefined) setActive(key)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const here = shown[activeAt]
    if (isTyping(event.target) || (here !== undefined && onRowKey(event, here))) return
    const next = nextIndex(event.key, activeAt < 0 ? shown.length : activeAt, shown.length)
    const row = next === undefined ? undefined : shown[next]
    if (next === undefined || row === undefined) return
    event.preventDefault()
    onMove(next)
    focusKey(row.key)
  }
  return { active, activeAt, focusKey, onFocus, onKeyDown }
}

function nextIndex(key: string, at: number, length: number): number | undefined {
  switch (key) {
    case 'ArrowUp':
    case 'k':
      return Math.max(0, at - 1)
    case 'ArrowDown':
    case 'j':
      return Math.min(length - 1, at + 1)
    case 'End':
      return length - 1
    default:
      return undefined
  }
}

const flashMs = 1_600

/** Points a row out, once it is drawn, which takes a frame or two. */
export function flash(scroller: { readonly current: HTMLElement | null }, key: string, tries = 10): void {
  requestAnimationFrame(() => {
    const row = rowOf(scroller.current, key)
    if (row === undefined || row === null) return tries > 0 ? flash(scroller, key, tries - 1) : undefined
    row.dataset['flash'] = ''
    setTimeout(() => delete row.dataset['flash'], flashMs)
    return undefined
  })
}

const rowOf = (scroller: HTMLElement | null, key: string) =>
  scroller?.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`)

const isTyping = (target: EventTarget) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
