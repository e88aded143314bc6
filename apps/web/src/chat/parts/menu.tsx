/** A menu, from a button or from a place on the page. What it shows is a chunk of its own. */
import { type ReactNode, useMemo, useRef, useState } from 'react'
import type { PopoverProps } from 'react-aria-components'
import type { ChoicesProps } from './choices.ts'
import { later, NoPlace } from './later.tsx'
import { MenuButtonContext } from '../../ui/menu-button.ts'

export { type Choice, choices } from './choices.ts'

/** Open as long as it is drawn. */
export const FloatingMenu = later(async () => (await import('./floating-menu.tsx')).FloatingMenu, NoPlace)

interface MenuProps extends Omit<ChoicesProps, 'onClose'> {
  /** The `IconButton` that opens it. */
  readonly children: ReactNode
  readonly placement?: PopoverProps['placement']
}

export function Menu({ children, ...shown }: MenuProps) {
  const [isOpen, setOpen] = useState(false)
  const button = useRef<HTMLButtonElement>(null)
  const opens = useMemo(
    () => ({
      ref: button,
      'aria-haspopup': 'menu' as const,
      'aria-expanded': isOpen,
      onPress: () => setOpen(true),
      onKeyDown: ({ key }: { readonly key: string }) => {
        if (key === 'ArrowDown' || key === 'ArrowUp') setOpen(true)
      },
    }),
    [isOpen],
  )
  return (
    <>
      <MenuButtonContext value={opens}>{children}</MenuButtonContext>
      {isOpen && <FloatingMenu {...shown} at={button} onClose={() => setOpen(false)} />}
    </>
  )
}
