/** The services that this deployment lets people sign in with, and what happens when the browser comes back from one. */
import { useMutation, useQuery } from '@tanstack/react-query'
import { useEffect } from 'react'
import { useTranslation } from '../text/translate.ts'
import { textOf } from '../app/words.ts'
import { signIn } from '../session.ts'
import { Button } from '../ui/button.tsx'
import { Notice } from '../ui/notice.tsx'
import { useEntrance } from './entrance.ts'
import { comeBack, goToProvider } from './providers.ts'

export function ProviderButtons({ invitation }: { readonly invitation?: string | undefined }) {
  const { t } = useTranslation()
  const { next } = useEntrance()
  const { data } = useQuery({ queryKey: ['providers'], queryFn: () => signIn.listProviders() })
  const leave = useMutation({ mutationFn: (provider: string) => goToProvider(provider, { next, invitation }) })
  return (
    <>
      {leave.isError && <Notice look="danger">{textOf(t, leave.error)}</Notice>}
      {data?.providers.map(({ name, title }) => (
        <Button
          key={name}
          look="secondary"
          wide
          isPending={leave.isPending && leave.variables === name}
          onPress={() => leave.mutate(name)}
        >
          {t('signIn.with', { provider: title })}
        </Button>
      ))}
    </>
  )
}

/** Grants are good once: a page that is shown twice asks once. */
let underWay: ReturnType<typeof comeBack> | undefined

export function ReturnFromProvider({ onFailed }: { onFailed(): void }) {
  const { t } = useTranslation()
  const { finish } = useEntrance()
  const { mutate, error } = useMutation({
    mutationFn: () => (underWay ??= comeBack()),
    onSuccess: ({ answer, next }) => finish(answer, next),
    onSettled: () => (underWay = undefined),
  })
  useEffect(() => mutate(), [mutate])
  if (error === null) return <p className="text-soft">{t('app.loading')}</p>
  return (
    <div className="grid gap-4">
      <Notice look="danger">{textOf(t, error)}</Notice>
      <Button onPress={onFailed}>{t('app.back')}</Button>
    </div>
  )
}
