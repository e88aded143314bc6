/** Tells that the connection is gone, calmly: not for a blink, and with what it means for what is written. */
import { useEffect, useState } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { useConnection } from '@flotilla/react'
import { Icon } from '../../ui/icon.tsx'

/** Coming back takes less than that as a rule. */
const patienceMs = 2_000

export function Connection() {
  const { name } = useConnection()
  return (
    <div role="status" className="shrink-0">
      {name !== 'live' && <Gone name={name} />}
    </div>
  )
}

function Gone({ name }: { readonly name: string }) {
  const { t } = useTranslation()
  const [isTold, setTold] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setTold(true), navigator.onLine ? patienceMs : 0)
    return () => clearTimeout(timer)
    // oxlint-disable-next-line react/exhaustive-effect-dependencies -- with each step of coming back patience begins anew
  }, [name])
  if (!isTold) return null
  return (
    <p className="m-2 flex items-center gap-3 rounded-medium bg-warning-soft px-3 py-2 text-small">
      <Icon name="retry" size={18} className="text-warning" />
      {t(navigator.onLine ? 'chat.connection.waiting' : 'chat.connection.offline')}
    </p>
  )
}
