/** Something that is on or off, at once. */
import type { ReactNode } from 'react'
import { Switch as AriaSwitch } from 'react-aria-components'

export interface SwitchProps {
  readonly isSelected: boolean
  readonly isDisabled?: boolean
  onChange(isSelected: boolean): void
  readonly children: ReactNode
  readonly hint?: ReactNode
}

export function Switch({ children, hint, ...props }: SwitchProps) {
  return (
    <AriaSwitch
      {...props}
      className="group flex min-h-10 cursor-pointer items-center justify-between gap-4 rounded-small"
    >
      <span className="grid">
        {children}
        {hint !== undefined && <span className="text-small text-soft">{hint}</span>}
      </span>
      <span className="flex h-6 w-10 shrink-0 items-center rounded-full border border-line-strong bg-canvas p-0.5 transition-colors group-data-focus-visible:outline-2 group-data-focus-visible:outline-offset-2 group-data-focus-visible:outline-focus group-data-selected:border-accent group-data-selected:bg-accent group-data-disabled:opacity-50">
        <span className="size-4 rounded-full bg-line-strong transition-[translate] group-data-selected:translate-x-4 group-data-selected:bg-on-accent rtl:group-data-selected:-translate-x-4" />
      </span>
    </AriaSwitch>
  )
}
