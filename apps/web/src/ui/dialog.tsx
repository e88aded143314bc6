/** A window over the page that asks for something: the rest of the page waits, and the focus comes back. */
import type { ReactNode } from 'react'
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from 'react-aria-components'

export interface DialogProps {
  readonly title: string
  readonly isOpen: boolean
  onClose(): void
  readonly children: ReactNode
  /** It asks about something that cannot be undone, or that must not be dismissed by a touch beside it. */
  readonly isAlert?: boolean
}

export function Dialog({ title, isOpen, onClose, children, isAlert = false }: DialogProps) {
  return (
    <ModalOverlay
      isOpen={isOpen}
      isDismissable={!isAlert}
      onOpenChange={open => {
        if (!open) onClose()
      }}
      className="fixed inset-0 z-40 grid items-end justify-items-center overflow-y-auto bg-veil p-0 sm:items-center sm:p-4"
    >
      <Modal className="w-full rounded-t-large bg-raised text-ink shadow-float sm:max-w-md sm:rounded-large">
        <AriaDialog role={isAlert ? 'alertdialog' : 'dialog'} className="grid gap-4 p-5 outline-none">
          <Heading slot="title" className="text-title font-semibold">
            {title}
          </Heading>
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  )
}

/** The buttons at the foot of a dialog or a form. */
export function Actions({ children }: { readonly children: ReactNode }) {
  return <div className="flex flex-wrap justify-end gap-2 pt-1">{children}</div>
}
