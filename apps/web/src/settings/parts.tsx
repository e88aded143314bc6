/** What the parts of the settings are made of. */
import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { useTranslation } from '../text/translate.ts'
import { textOf } from '../app/words.ts'
import { Button } from '../ui/button.tsx'
import { Notice } from '../ui/notice.tsx'
import { Skeleton } from '../ui/skeleton.tsx'

export interface SectionProps {
  readonly title?: string
  readonly lead?: ReactNode
  readonly children: ReactNode
}

export function Section({ title, lead, children }: SectionProps) {
  return (
    <section className="grid gap-3">
      {title !== undefined && <h2 className="text-title font-semibold">{title}</h2>}
      {lead !== undefined && <p className="-mt-1 max-w-prose text-soft">{lead}</p>}
      <div className="grid gap-4 rounded-large border border-line bg-raised p-4">{children}</div>
    </section>
  )
}

export function Rows({ children }: { readonly children: ReactNode }) {
  return <ul className="-my-2 divide-y divide-line">{children}</ul>
}

export interface RowProps {
  readonly icon?: ReactNode
  readonly title: ReactNode
  readonly text?: ReactNode
  readonly action?: ReactNode
}

export function Row({ icon, title, text, action }: RowProps) {
  return (
    <li className="flex min-h-14 flex-wrap items-center gap-x-3 gap-y-1 py-2">
      {icon}
      <div className="grid min-w-0 flex-1 basis-40">
        <span className="font-medium" dir="auto">
          {title}
        </span>
        {text !== undefined && <span className="text-small text-soft">{text}</span>}
      </div>
      {action}
    </li>
  )
}

/** What was read, or that it is on its way, or that it failed and can be tried again. */
export function Loaded<T>({ query, children }: { readonly query: UseQueryResult<T>; children(data: T): ReactNode }) {
  const { t } = useTranslation()
  if (query.data !== undefined) return children(query.data)
  if (!query.isError) return <Skeleton label={t('app.loading')} />
  return (
    <div className="grid justify-items-start gap-3">
      <Notice look="danger">{textOf(t, query.error)}</Notice>
      <Button look="secondary" isPending={query.isFetching} onPress={() => void query.refetch()}>
        {t('app.retry')}
      </Button>
    </div>
  )
}
