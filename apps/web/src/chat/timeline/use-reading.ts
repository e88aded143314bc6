/**
 * Marks as read what was seen: drawn, wholly in view, in a page that is visible and has had the focus for a while. Marks are
 * gathered, but whoever leaves the page has read what they have seen by then.
 */
import { useCallback, useEffect, useRef } from 'react'

/** Marks are gathered for so long. */
const gatherMs = 500
/** Who comes back to the page may leave it without having read. */
const settleMs = 1_000

export function useReading(markRead: (seq: number) => void): (seq: number | undefined) => void {
  const seen = useRef(0)
  const marked = useRef(0)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const attentiveSince = useRef(isAttentive() ? 0 : Number.POSITIVE_INFINITY)

  /** @returns whether it was looked at for long enough */
  const mark = useCallback(() => {
    if (performance.now() - attentiveSince.current < settleMs) return false
    if (seen.current > marked.current) {
      marked.current = seen.current
      markRead(seen.current)
    }
    return true
  }, [markRead])
  const plan = useCallback(
    function plan() {
      if (timer.current !== undefined || seen.current <= marked.current) return
      timer.current = setTimeout(() => {
        timer.current = undefined
        if (isAttentive() && !mark()) plan()
      }, gatherMs)
    },
    [mark],
  )

  useEffect(() => {
    const changed = ({ type }: Event) => {
      const isLeaving = type === 'pagehide' || !isAttentive()
      if (isLeaving) mark()
      attentiveSince.current = isLeaving ? Number.POSITIVE_INFINITY : performance.now()
      if (!isLeaving) plan()
    }
    const listening = new AbortController()
    const { signal } = listening
    for (const type of ['focus', 'blur', 'pageshow']) addEventListener(type, changed, { signal })
    // Before the client hears of it, which then tells at once whatever it has.
    for (const type of ['visibilitychange', 'pagehide']) addEventListener(type, changed, { signal, capture: true })
    return () => {
      listening.abort()
      clearTimeout(timer.current)
      timer.current = undefined
    }
  }, [plan, mark])

  return useCallback(
    seq => {
      if (seq === undefined) return
      seen.current = Math.max(seen.current, seq)
      plan()
    },
    [plan],
  )
}

const isAttentive = () => document.visibilityState === 'visible' && document.hasFocus()
