/** The people whom the person has blocked. */
import type { Block } from '@flotilla/sdk'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useTranslation } from '../text/translate.ts'
import { textOf } from '../app/words.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Button } from '../ui/button.tsx'
import { Notice } from '../ui/notice.tsx'
import { Skeleton } from '../ui/skeleton.tsx'
import { Row, Rows, Section } from './parts.tsx'
import { rest, useChange } from './queries.ts'

const blocksKey = ['blocks'] as const

export function BlockedPart() {
  const { t } = useTranslation()
  const pages = useInfiniteQuery({
    queryKey: blocksKey,
    queryFn: ({ pageParam }) => rest().blocks.list(pageParam === undefined ? {} : { after: pageParam }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: page => page.next,
  })
  const blocks = pages.data?.pages.flatMap(page => page.blocks)
  return (
    <Section lead={t('blocked.lead')}>
      {pages.isError && (
        <>
          <Notice look="danger">{textOf(t, pages.error)}</Notice>
          <Button look="secondary" isPending={pages.isFetching} onPress={() => void pages.refetch()}>
            {t('app.retry')}
          </Button>
        </>
      )}
      {pages.isPending && <Skeleton label={t('app.loading')} />}
      {blocks?.length === 0 && <p className="py-4 text-center text-soft">{t('blocked.none')}</p>}
      {blocks !== undefined && blocks.length > 0 && (
        <Rows>
          {blocks.map(block => (
            <Blocked key={block.user.id} block={block} />
          ))}
        </Rows>
      )}
      {pages.hasNextPage && (
        <Button look="quiet" isPending={pages.isFetchingNextPage} onPress={() => void pages.fetchNextPage()}>
          {t('blocked.more')}
        </Button>
      )}
    </Section>
  )
}

function Blocked({ block: { user, at } }: { readonly block: Block }) {
  const { t, i18n } = useTranslation()
  const unblock = useChange({
    run: () => rest().blocks.unblock(user.id),
    touches: [blocksKey],
    said: t('blocked.unblocked', { name: user.displayName }),
  })
  const day = new Intl.DateTimeFormat(i18n.language, { dateStyle: 'medium' }).format(at)
  return (
    <Row
      icon={<Avatar id={user.id} name={user.displayName} avatar={user.avatar} />}
      title={user.displayName}
      text={t('blocked.since', { day })}
      action={
        <Button
          look="secondary"
          aria-label={t('blocked.unblockWhom', { name: user.displayName })}
          isPending={unblock.isPending}
          onPress={() => unblock.mutate()}
        >
          {t('blocked.unblock')}
        </Button>
      }
    />
  )
}
