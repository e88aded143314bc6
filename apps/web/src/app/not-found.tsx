/** The page for an address that there is not. */
import { Link } from './navigation.tsx'
import { useTranslation } from '../text/translate.ts'

/** @param isPart it stands within a page, and not in the place of one */
export function NotFound({ isPart = false }: { readonly isPart?: boolean }) {
  const Frame = isPart ? 'div' : 'main'
  const { t } = useTranslation()
  return (
    <Frame className="grid h-full place-content-center justify-items-center gap-3 p-6 text-center">
      <h1 className="text-title font-semibold">{t('notFound.title')}</h1>
      <p className="text-soft">{t('notFound.text')}</p>
      <Link to="/" className="font-medium text-accent underline underline-offset-4">
        {t('notFound.home')}
      </Link>
    </Frame>
  )
}
