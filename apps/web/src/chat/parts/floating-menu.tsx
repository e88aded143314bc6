/** The choices of a menu, in a popover. */
import { type ReactNode, type RefObject, useLayoutEffect } from 'react'
import {
  Menu as AriaMenu,
  MenuItem,
  Popover,
  type PopoverProps,
  Separator,
  setInteractionModality,
} from 'react-aria-components'
import { Icon } from '../../ui/icon.tsx'
import '../../ui/transitions.ts'
import type { ChoicesProps } from './choices.ts'

function List({ label, choices, onClose }: ChoicesProps) {
  return (
    <AriaMenu
      aria-label={label}
      autoFocus="first"
      className="min-h-0 min-w-48 overflow-y-auto p-1 outline-none"
      onAction={key => choices.find(({ id }) => id === key)?.act()}
      onClose={onClose}
    >
      {choices.flatMap(({ id, label, icon, isDanger = false, startsGroup = false }) => [
        ...(startsGroup ? [<Separator key={`above-${id}`} className="my-1 h-px bg-line" />] : []),
        <MenuItem
          key={id}
          id={id}
          textValue={label}
          className={`flex min-h-9 cursor-default items-center gap-3 rounded-small px-2.5 py-1.5 outline-none focus:bg-hover ${isDanger ? 'text-danger' : ''}`}
        >
          {icon !== undefined && <Icon name={icon} size={18} className={isDanger ? '' : 'text-soft'} />}
          {label}
        </MenuItem>,
      ])}
    </AriaMenu>
  )
}

export interface FloatingMenuProps extends ChoicesProps {
  readonly at: RefObject<Element | null>
  readonly placement?: PopoverProps['placement']
  /** Above the choices. */
  readonly head?: ReactNode
}

/** Open as long as it is drawn. */
export function FloatingMenu({ at, placement = 'bottom end', head, onClose, ...list }: FloatingMenuProps) {
  // The browser's own click by Enter is a screen reader's to React Aria, which would focus the menu and none of its choices.
  useLayoutEffect(() => setInteractionModality('keyboard'), [])
  return (
    <Popover
      isOpen
      aria-label={list.label}
      triggerRef={at}
      placement={placement}
      onOpenChange={isOpen => !isOpen && onClose()}
      className="flex flex-col rounded-medium border border-line bg-raised text-ink shadow-float"
    >
      {head}
      <List {...list} onClose={onClose} />
    </Popover>
  )
}
