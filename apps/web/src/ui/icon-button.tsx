/** A button that shows a sign; its words are read out, and shown by a tooltip (tooltips.tsx). */
import { use } from 'react'
import { Icon, type IconName } from './icon.tsx'
import { MenuButtonContext } from './menu-button.ts'
import { Press, type PressProps } from './press.tsx'

interface IconButtonProps extends Omit<PressProps, 'children' | 'className' | 'aria-label'> {
  readonly icon: IconName
  readonly label: string
  readonly size?: 'small' | 'medium'
  readonly look?: 'quiet' | 'accent' | 'danger'
  readonly isTurned?: boolean
  readonly isFilled?: boolean
  readonly className?: string
}

const sizes = { small: 'size-7', medium: 'size-10' } as const
const looks = {
  quiet: 'text-soft hover:bg-hover hover:text-ink',
  accent: 'bg-accent text-on-accent hover:bg-accent-hover',
  danger: 'text-danger hover:bg-danger-soft',
} as const

export function IconButton({
  icon,
  label,
  size = 'medium',
  look = 'quiet',
  isTurned = false,
  isFilled = false,
  className = '',
  ...props
}: IconButtonProps) {
  const opens = use(MenuButtonContext)
  return (
    <Press
      {...props}
      {...opens}
      aria-label={label}
      data-tooltip
      className={`grid shrink-0 place-items-center rounded-medium transition-colors disabled:opacity-40 ${sizes[size]} ${looks[look]} ${className}`}
    >
      <Icon name={icon} size={size === 'small' ? 18 : 20} isTurned={isTurned} isFilled={isFilled} />
    </Press>
  )
}
