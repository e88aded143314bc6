/** A place on the earth: its words, and a link to a map of the reader's choice. No map is loaded: that would tell a third party. */
import type { LocationBody } from '@flotilla/sdk'
import type { ReactNode } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { numberOf } from '../format.ts'
import { Icon } from '../../ui/icon.tsx'

interface PlaceProps {
  readonly location: LocationBody
  readonly isActive: boolean
  readonly meta: ReactNode
}

const shortOf = (degrees: number) => degrees.toFixed(5)

export function Place({ location, isActive, meta }: PlaceProps) {
  const { t, i18n } = useTranslation()
  const { latitude, longitude, accuracyM, name, address } = location
  const place = `${shortOf(latitude)}, ${shortOf(longitude)}`
  return (
    <div className="flow-root min-w-[min(14rem,100%)]">
      <div className="flex gap-3 py-1">
        <span className="grid size-10 shrink-0 place-items-center rounded-full bg-accent text-on-accent">
          <Icon name="place" />
        </span>
        <div className="grid min-w-0 grid-cols-[minmax(0,1fr)] gap-0.5">
          <bdi className="font-medium">{name ?? t('chat.message.place')}</bdi>
          {address !== undefined && <bdi className="text-small text-soft">{address}</bdi>}
          <span dir="ltr" className="text-start text-small text-soft tabular-nums">
            {place}
            {accuracyM !== undefined && ` ±${numberOf(Math.round(accuracyM), i18n.language)} m`}
          </span>
          <a
            href={`https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}#map=16/${latitude}/${longitude}`}
            rel="noopener noreferrer"
            target="_blank"
            tabIndex={isActive ? 0 : -1}
            className="text-small font-medium text-accent underline underline-offset-2"
          >
            {t('chat.message.openMap')}
          </a>
        </div>
      </div>
      {meta}
    </div>
  )
}
