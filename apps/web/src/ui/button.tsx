/** A button: what is most wanted, what is also there, what is quiet, and what cannot be undone. */
import { Press, type PressProps } from './press.tsx'

const looks = {
  primary: 'bg-accent text-on-accent hover:bg-accent-hover active:bg-accent-hover',
  secondary: 'border border-line bg-raised text-ink hover:bg-hover active:bg-pressed',
  quiet: 'text-accent hover:bg-hover active:bg-pressed',
  danger: 'border border-line bg-raised text-danger hover:bg-danger-soft active:bg-danger-soft',
  'danger-primary': 'bg-danger text-on-danger hover:opacity-90 active:opacity-80',
} as const

export interface ButtonProps extends Omit<PressProps, 'className'> {
  readonly look?: keyof typeof looks
  /** As wide as what it stands in. */
  readonly wide?: boolean
}

export function Button({ look = 'primary', wide = false, ...props }: ButtonProps) {
  return (
    <Press
      {...props}
      className={`inline-flex min-h-10 items-center justify-center gap-2 rounded-medium px-4 py-1.5 text-field font-medium transition-colors disabled:cursor-default disabled:opacity-50 data-pending:cursor-progress data-pending:opacity-70 ${looks[look]} ${wide ? 'w-full' : ''}`}
    />
  )
}
