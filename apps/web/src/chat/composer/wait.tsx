/** In the place of the button that sends: how long that has to wait, to the second. Whoever listens has been told once. */
import { useEffect, useState } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { countdownOf, lengthOfTime } from '../format.ts'

const secondMs = 1_000

export function Wait({ until }: { readonly until: number }) {
  const { t, i18n } = useTranslation()
  const [now, setNow] = useState(Date.now)
  const leftMs = Math.max(0, until - now)
  useEffect(() => {
    const timer = setTimeout(() => setNow(Date.now()), leftMs % secondMs || secondMs)
    return () => clearTimeout(timer)
  }, [leftMs])
  const words = t('chat.composer.wait', { length: lengthOfTime(leftMs, i18n.language) })
  return (
    <span
      role="timer"
      aria-label={words}
      title={words}
      data-wait
      className="grid h-10 min-w-10 shrink-0 place-items-center rounded-medium px-1 text-small font-medium text-soft tabular-nums"
    >
      {countdownOf(leftMs, i18n.language)}
    </span>
  )
}
