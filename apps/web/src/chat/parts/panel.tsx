/** The side of a conversation: a column on a wide page, over the conversation on a narrow one. */
import type { ReactNode } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { IconButton } from '../../ui/icon-button.tsx'

interface PanelProps {
  readonly title: string
  readonly children: ReactNode
  onClose(): void
}

export function Panel({ title, children, onClose }: PanelProps) {
  const { t } = useTranslation()
  return (
    <aside aria-label={title} data-region className="flex size-full flex-col bg-canvas">
      <header className="flex h-14 shrink-0 items-center gap-2 border-b border-line ps-4 pe-2">
        <h2 className="grow truncate font-semibold">{title}</h2>
        <IconButton icon="close" label={t('app.close')} onPress={onClose} />
      </header>
      <div className="flex min-h-0 grow flex-col overflow-y-auto">{children}</div>
    </aside>
  )
}

interface SectionProps {
  readonly title?: string
  readonly end?: ReactNode
  readonly children: ReactNode
}

export function Section({ title, end, children }: SectionProps) {
  return (
    <section className="border-b border-line px-4 py-3 last:border-0">
      {title !== undefined && (
        <div className="flex min-h-8 items-center justify-between gap-2">
          <h3 className="text-small font-semibold text-soft">{title}</h3>
          {end}
        </div>
      )}
      {children}
    </section>
  )
}
