/** What screen readers are told of what happens: one place, and at most once a second. */
import { useEffect, useState } from 'react'

const pauseMs = 1_000
const waitingMax = 5
let waiting: string[] = []
let tell: (() => void) | undefined

export function announce(text: string): void {
  // Who is told too much hears nothing.
  waiting = [...waiting, text].slice(-waitingMax)
  tell?.()
}

export function Announcer() {
  const [told, setTold] = useState('')
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const flush = () => {
      timer = undefined
      if (waiting.length === 0) return
      setTold(waiting.join('. '))
      waiting = []
      timer = setTimeout(flush, pauseMs)
    }
    tell = () => {
      timer ??= setTimeout(flush)
    }
    return () => {
      tell = undefined
      clearTimeout(timer)
    }
  }, [])
  return (
    <div role="status" aria-live="polite" className="sr-only">
      {told}
    </div>
  )
}
