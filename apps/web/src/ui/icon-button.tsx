/** A button that shows a sign; its words are read out, and shown by a tooltip. */
import { use } from 'react'
import { Button, type ButtonProps, Tooltip, TooltipTrigger } from 'react-aria-components'
import { Icon, type IconName } from './icon.tsx'
import { MenuButtonContext } from './menu-button.ts'

interface IconButtonProps extends Omit<ButtonProps, 'children' | 'className' | 'aria-label'> {
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
const tooltipDelayMs = 600

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
    <TooltipTrigger delay={tooltipDelayMs}>
      <Button
        {...props}
        {...opens}
        aria-label={label}
        className={`grid shrink-0 place-items-center rounded-medium transition-colors disabled:opacity-40 ${sizes[size]} ${looks[look]} ${className}`}
      >
        <Icon name={icon} size={size === 'small' ? 18 : 20} isTurned={isTurned} isFilled={isFilled} />
      </Button>
      <Tooltip offset={6} className="rounded-small bg-ink px-2 py-1 text-tiny text-canvas shadow-float">
        {label}
      </Tooltip>
    </TooltipTrigger>
  )
}
