/** Small things of the pages for signing in. */
import type { ReactNode } from 'react'
import { Press, type PressProps } from '../ui/press.tsx'

/** A step aside, as a word in the text. */
export function TextButton(props: Omit<PressProps, 'className'>) {
  return (
    <Press
      {...props}
      className="justify-self-center rounded-small px-1 py-1 font-medium text-accent underline-offset-4 hover:underline disabled:text-soft disabled:no-underline"
    />
  )
}

export function Divider({ children }: { readonly children: ReactNode }) {
  return (
    <div className="flex items-center gap-3 text-small text-soft before:h-px before:flex-1 before:bg-line after:h-px after:flex-1 after:bg-line">
      {children}
    </div>
  )
}
