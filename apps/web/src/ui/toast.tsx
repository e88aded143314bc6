/** Short notes at the edge of the page, read out by screen readers, gone by themselves. */
import { createValue, useValue } from '../app/value.ts'

interface Toast {
  readonly id: number
  readonly text: string
}

const shownMs = 6_000
const toastsMax = 3
const shown = createValue<readonly Toast[]>([])
let count = 0

export function toast(text: string): void {
  const id = ++count
  shown.set([...shown.get(), { id, text }].slice(-toastsMax))
  setTimeout(() => shown.set(shown.get().filter(one => one.id !== id)), shownMs)
}

export function Toasts() {
  const toasts = useValue(shown)
  return (
    <div
      role="status"
      className="pointer-events-none fixed inset-x-0 bottom-4 z-50 grid justify-items-center gap-2 px-4"
    >
      {toasts.map(({ id, text }) => (
        <p key={id} className="rounded-medium bg-ink px-4 py-2 text-small text-canvas shadow-float" dir="auto">
          {text}
        </p>
      ))}
    </div>
  )
}
