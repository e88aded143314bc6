/**
 * Parts of the page that nobody sees at first, each a chunk of its own: loaded when it is wanted, or a moment after the page
 * stands, so that they are there without a network, too.
 */
import { type ComponentType, useEffect, useEffectEvent, useState } from 'react'
import { asking } from '../../app/asking.tsx'
import { speakOf } from '../../text/languages.ts'
import { useTranslation } from '../../text/translate.ts'
import { useTell } from '../../app/use-tell.ts'

interface Closable {
  onClose?(): void
}

const loads = new Set<() => Promise<void>>()

/** @param Place what stands there until it is loaded, as large as what comes */
export function later<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
  Place: ComponentType,
): ComponentType<Props> {
  let loaded: ComponentType<Props> | undefined
  const prepare = async () => {
    if (loaded === undefined) [loaded] = await Promise.all([asking(load()), speakOf('late')])
  }
  loads.add(prepare)
  return function Later(props) {
    const tell = useTell()
    // What is loaded already is drawn at once: `lazy` would show its place for a moment.
    const [Part, setPart] = useState(() => loaded)
    const settle = useEffectEvent((isDone: boolean) =>
      isDone ? setPart(() => loaded) : (props as Closable).onClose?.(),
    )
    useEffect(() => {
      let isWanted = true
      void tell(prepare()).then(isDone => isWanted && settle(isDone))
      return () => {
        isWanted = false
      }
    }, [tell])
    return Part === undefined ? <Place /> : <Part {...props} />
  }
}

/** What is seen at first has been asked for by then. */
const afterMs = 2_000

/** Loads what is left, once the page stands. */
export function useLoadingLater(): void {
  useEffect(() => {
    const timer = setTimeout(() => {
      for (const load of loads) load().catch(() => {})
    }, afterMs)
    return () => clearTimeout(timer)
  }, [])
}

/** In the place of a dialog. */
export function DialogPlace() {
  const { t } = useTranslation()
  return (
    <div
      role="status"
      aria-label={t('chat.loading')}
      className="late fixed inset-0 z-40 flex items-end justify-center bg-veil sm:items-center sm:p-4"
    >
      <div className="h-96 w-full rounded-t-large bg-raised shadow-float sm:max-w-md sm:rounded-large" />
    </div>
  )
}

/** In the place of a panel. */
export function PanelPlace() {
  const { t } = useTranslation()
  return <div role="status" aria-label={t('chat.loading')} className="size-full bg-canvas" />
}

/** In the place of what hangs from a button: a frame without words would only flash. */
export const NoPlace = () => null
