/** A message out of its place: pinned, starred, scheduled. Pressed, it shows where it stands. */
import type { Body } from '@flotilla/sdk'
import { useTranslation } from '../../text/translate.ts'
import { listTimeOf } from '../format.ts'
import { useUser } from '@flotilla/react'
import { Avatar } from '../parts/avatar.tsx'
import { previewOf } from './quoted.tsx'

interface FoundProps {
  readonly by: string
  readonly at: number
  readonly body: Body
  /** Where it was said. */
  readonly where?: string | undefined
  /** What has become of it, on a line of its own. */
  readonly note?: string
  readonly isNew?: boolean
  onPress(): void
}

export function FoundMessage({ by, at, body, where, note, isNew = false, onPress }: FoundProps) {
  const { i18n } = useTranslation()
  const author = useUser(by)
  const name = author?.displayName ?? '…'
  return (
    <button
      type="button"
      onClick={onPress}
      className="flex min-w-0 grow gap-3 rounded-medium p-2 text-start hover:bg-hover"
    >
      <Avatar id={by} name={name} picture={author?.avatar ?? null} size={32} />
      <span className="grid min-w-0 grow grid-cols-[minmax(0,1fr)]">
        <span className="flex items-baseline gap-2">
          <span className="truncate text-small font-medium">
            <bdi>{name}</bdi>
          </span>
          {where !== undefined && where !== name && (
            <span className="truncate text-tiny text-soft">
              <bdi>{where}</bdi>
            </span>
          )}
          <time className="ms-auto shrink-0 text-tiny text-soft">{listTimeOf(at, i18n.language)}</time>
        </span>
        <span className="line-clamp-3 text-small">
          <bdi>{previewOf(body)}</bdi>
        </span>
        {note !== undefined && (
          <span className={`text-small ${isNew ? 'font-semibold text-accent' : 'text-soft'}`}>{note}</span>
        )}
      </span>
    </button>
  )
}
