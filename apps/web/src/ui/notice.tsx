/** A sentence that stands on the page until it is settled; one that tells of a failure is read out at once. */
import type { ReactNode } from 'react'

const looks = {
  info: 'bg-accent-soft text-ink',
  warning: 'bg-warning-soft text-ink',
  danger: 'bg-danger-soft text-danger',
} as const

export function Notice({
  look = 'info',
  children,
}: {
  readonly look?: keyof typeof looks
  readonly children: ReactNode
}) {
  return (
    <div
      role={look === 'danger' ? 'alert' : undefined}
      className={`rounded-medium px-3 py-2 text-small ${looks[look]}`}
    >
      {children}
    </div>
  )
}
