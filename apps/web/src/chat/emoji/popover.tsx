/** The picker in a popover: as large as it will be before its data is there, so that nothing jumps. */
import { lazy, type RefObject, Suspense } from 'react'
import { Dialog, Popover } from 'react-aria-components'
import { useTranslation } from '../../text/translate.ts'
import { ErrorBoundary } from '../../app/error-boundary.tsx'

const Picker = lazy(() => import('./picker.tsx'))

export interface PopoverProps {
  readonly at: RefObject<Element | null>
  onPick(emoji: string): void
  onClose(): void
}

/** Open as long as it is drawn. */
export function EmojiPopover({ at, onPick, onClose }: PopoverProps) {
  const { t } = useTranslation()
  return (
    <Popover
      isOpen
      triggerRef={at}
      placement="top end"
      onOpenChange={isOpen => !isOpen && onClose()}
      className="rounded-large border border-line bg-raised shadow-float"
    >
      <Dialog aria-label={t('chat.emoji.title')} className="h-80 w-80 max-w-[92vw] outline-none">
        <ErrorBoundary>
          <Suspense fallback={<div role="status" aria-label={t('chat.loading')} />}>
            <Picker
              onPick={emoji => {
                onClose()
                onPick(emoji)
              }}
            />
          </Suspense>
        </ErrorBoundary>
      </Dialog>
    </Popover>
  )
}
