/** What stands in the place of a page that failed: what happened, in calm words, and the way on. */
import { Component, type ErrorInfo, type ReactNode } from 'react'
import { useTranslation } from '../text/translate.ts'
import { Button } from '../ui/button.tsx'

interface State {
  readonly error?: unknown
}

export class ErrorBoundary extends Component<{ readonly children: ReactNode }, State> {
  override state: State = {}

  static getDerivedStateFromError(error: unknown): State {
    return { error }
  }

  override componentDidCatch(error: unknown, info: ErrorInfo): void {
    console.error('unable to show a part of the page', error, info.componentStack)
  }

  override render(): ReactNode {
    return 'error' in this.state ? <Failure /> : this.props.children
  }
}

function Failure() {
  const { t } = useTranslation()
  return (
    <main className="grid h-full place-content-center justify-items-center gap-3 p-6 text-center">
      <h1 className="text-title font-semibold">{t('failure.title')}</h1>
      <p className="max-w-prose text-soft">{t('failure.text')}</p>
      <Button onPress={() => location.reload()}>{t('failure.reload')}</Button>
    </main>
  )
}
