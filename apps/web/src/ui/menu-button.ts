/** What a button has that opens a menu. */
import { createContext, type RefObject } from 'react'
import type { ButtonProps } from 'react-aria-components'

interface MenuButton extends Pick<ButtonProps, 'aria-expanded' | 'aria-haspopup' | 'onKeyDown' | 'onPress'> {
  readonly ref: RefObject<HTMLButtonElement | null>
}

export const MenuButtonContext = createContext<MenuButton | undefined>(undefined)
