/**
 * A dialog over the page: in the middle of a wide one, at the lower edge of a narrow one. The rest of the page waits, and the focus
 * comes back.
 */
import type { ReactNode } from 'react'
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from 'react-aria-components'
import { useTranslation } from '../text/translate.ts'
import { Button } from './button.tsx'
import { IconButton } from './icon-button.tsx'
import './transitions.ts'

interface DialogProps {
  readonly title: string
  readonly children: ReactNode
  /** Buttons at the end. */
  readonly foot?: ReactNode
  /** It asks about something that cannot be undone, or that must not be dismissed by a touch beside it. */
  readonly isAlert?: boolean
  readonly isWide?: boolean
  onClose(): void
}

/** Open as long as it is drawn. */
export function Dialog({ title, children, foot, isAlert = false, isWide = false, onClose }: DialogProps) {
  const { t } = useTranslation()
  return (
    <ModalOverlay
      isOpen
      isDismissable={!isAlert}
      onOpenChange={isOpen => !isOpen && onClose()}
      className="fixed inset-0 z-40 flex items-end justify-center bg-veil sm:items-center sm:p-4"
    >
      <Modal
        className={`flex max-h-[92dvh] w-full flex-col rounded-t-large bg-raised shadow-float sm:rounded-large ${isWide ? 'sm:max-w-xl' : 'sm:max-w-md'}`}
      >
        <AriaDialog role={isAlert ? 'alertdialog' : 'dialog'} className="flex min-h-0 flex-col outline-none">
          <header className="flex items-center gap-2 ps-5 pe-3 pt-3 pb-1">
            <Heading slot="title" className="grow text-title font-semibold">
              {title}
            </Heading>
            <IconButton icon="close" label={t('app.close')} onPress={onClose} />
          </header>
          <div className="min-h-0 grow overflow-y-auto px-5 pt-1 pb-5">{children}</div>
          {foot !== undefined && (
            <footer className="flex flex-wrap justify-end gap-2 border-t border-line px-5 py-3">{foot}</footer>
          )}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  )
}

interface ConfirmProps {
  readonly title: string
  readonly text: string
  readonly action: string
  onConfirm(): void
  onClose(): void
}

/** Says what will happen, before it cannot be undone. */
export function Confirm({ title, text, action, onConfirm, onClose }: ConfirmProps) {
  const { t } = useTranslation()
  return (
    <Dialog
      isAlert
      title={title}
      onClose={onClose}
      foot={
        <>
          <Button look="secondary" onPress={onClose}>
            {t('app.cancel')}
          </Button>
          <Button
            look="danger"
            autoFocus
            onPress={() => {
              onClose()
              onConfirm()
            }}
          >
            {action}
          </Button>
        </>
      }
    >
      <p className="text-soft">{text}</p>
    </Dialog>
  )
}

/** What stands below each other in a dialog, with room between. */
export function Stack({ children }: { readonly children: ReactNode }) {
  return <div className="grid gap-4">{children}</div>
}

/** The buttons at the foot of a form. */
export function Actions({ children }: { readonly children: ReactNode }) {
  return <div className="flex flex-wrap justify-end gap-2 pt-1">{children}</div>
}
