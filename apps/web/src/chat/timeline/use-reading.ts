/** Marks as read what was seen: drawn, wholly in view, in a page that is visible and has had the focus for a while. */
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

  const plan = useCallback(
    function plan() {
      if (timer.current !== undefined || seen.current <= marked.current) return
      timer.current = setTimeout(() => {
        timer.current = undefined
        if (!isAttentive() || seen.current <= marked.current) return
        if (performance.now() - attentiveSince.current < settleMs) return plan()
        marked.current = seen.current
        markRead(seen.current)
      }, gatherMs)
    },
    [markRead],
  )

  useEffect(() => {
    const changed = () => {
      attentiveSince.current = isAttentive() ? performance.now() : Number.POSITIVE_INFINITY
      if (isAttentive()) plan()
    }
    addEventListener('focus', changed)
    addEventListener('blur', changed)
    document.addEventListener('visibilitychange', changed)
    return () => {
      removeEventListener('focus', changed)
      removeEventListener('blur', changed)
      document.removeEventListener('visibilitychange', changed)
      clearTimeout(timer.current)
      timer.current = undefined
    }
  }, [plan])

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
