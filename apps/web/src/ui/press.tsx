/**
 * What one presses, without a look of its own: the browser's button. React Aria's would weigh more than the list of the
 * conversations does; what is beyond a press, menus and dialogs, is React Aria's.
 */
import type { ComponentProps } from 'react'

export interface PressProps extends Omit<ComponentProps<'button'>, 'onClick' | 'disabled'> {
  readonly isDisabled?: boolean | undefined
  /** What it began is not over: it keeps the focus, and a press does nothing. */
  readonly isPending?: boolean | undefined
  onPress?(): void
}

export function Press({ isDisabled = false, isPending = false, type = 'button', onPress, ...props }: PressProps) {
  return (
    <button
      {...props}
      // A form is not sent twice.
      type={isPending ? 'button' : type}
      disabled={isDisabled}
      aria-disabled={isPending || undefined}
      data-pending={isPending || undefined}
      onClick={({ currentTarget }) => {
        if (isPending) return
        // Safari leaves the focus where it was, and a dialog could not give it back.
        if (currentTarget !== document.activeElement) currentTarget.focus({ preventScroll: true })
        onPress?.()
      }}
    />
  )
}
