/** A button: what is most wanted, what is also there, what is quiet, and what cannot be undone. */
import { Button as AriaButton, type ButtonProps as AriaButtonProps } from 'react-aria-components'

const looks = {
  primary: 'bg-accent text-on-accent hover:bg-accent-hover data-pressed:bg-accent-hover',
  secondary: 'border border-line bg-raised text-ink hover:bg-hover data-pressed:bg-pressed',
  quiet: 'text-accent hover:bg-hover data-pressed:bg-pressed',
  danger: 'border border-line bg-raised text-danger hover:bg-danger-soft data-pressed:bg-danger-soft',
  'danger-primary': 'bg-danger text-on-danger hover:opacity-90 data-pressed:opacity-80',
} as const

export interface ButtonProps extends Omit<AriaButtonProps, 'className'> {
  readonly look?: keyof typeof looks
  /** As wide as what it stands in. */
  readonly wide?: boolean
}

export function Button({ look = 'primary', wide = false, ...props }: ButtonProps) {
  return (
    <AriaButton
      {...props}
      className={`inline-flex min-h-10 items-center justify-center gap-2 rounded-medium px-4 py-1.5 text-field font-medium transition-colors data-disabled:cursor-default data-disabled:opacity-50 data-pending:cursor-progress data-pending:opacity-70 ${looks[look]} ${wide ? 'w-full' : ''}`}
    />
  )
}
