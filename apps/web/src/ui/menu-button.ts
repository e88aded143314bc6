/** What a button has that opens a menu. */
import { createContext, type RefObject } from 'react'
import type { PressProps } from './press.tsx'

interface MenuButton extends Pick<PressProps, 'aria-expanded' | 'aria-haspopup' | 'onKeyDown' | 'onPress'> {
  readonly ref: RefObject<HTMLButtonElement | null>
}

export const MenuButtonContext = createContext<MenuButton | undefined>(undefined)
