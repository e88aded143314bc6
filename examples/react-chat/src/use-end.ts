/** The end of a list: whoever looks at it stays there when something comes, and has read everything. */
import { useCallback, useEffect, useLayoutEffect, useRef } from 'react'

const nearPx = 40

export function useEnd(last: object | undefined, head: number, markRead: (seq: number) => void) {
  const list = useRef<HTMLOListElement>(null)
  const isThere = useRef(true)
  const show = useCallback(() => list.current?.scrollTo({ top: list.current.scrollHeight }), [])

  useLayoutEffect(() => {
    if (isThere.current && last !== undefined) show()
  }, [last, show])
  useEffect(() => {
    const look = () => {
      if (isThere.current && head > 0 && document.visibilityState === 'visible') markRead(head)
    }
    const scrolled = () => {
      const { scrollTop = 0, clientHeight = 0, scrollHeight = 0 } = list.current ?? {}
      isThere.current = scrollTop + clientHeight > scrollHeight - nearPx
      look()
    }
    look()
    const element = list.current
    element?.addEventListener('scroll', scrolled)
    document.addEventListener('visibilitychange', look)
    return () => {
      element?.removeEventListener('scroll', scrolled)
      document.removeEventListener('visibilitychange', look)
    }
  }, [head, markRead])
  return { list, show }
}
