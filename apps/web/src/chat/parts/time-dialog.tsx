/** When something is to happen, a message be sent or one be reminded: soon, tomorrow, or at a time of one's own. */
import { useState } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { Button } from '../../ui/button.tsx'
import { briefTimeOf } from '../format.ts'
import { Dialog } from '../../ui/dialog.tsx'

interface TimeProps {
  readonly title: string
  /** What the button says. */
  readonly action: string
  /** What it is set to now. */
  readonly at?: number
  onTake(at: number): void
  onClose(): void
}

/** As the server takes it. */
const aheadMsMax = 31_622_400_000
const hourMs = 3_600_000

/** `2027-03-28T09:00`, by the clock on the wall: what the field of a time takes. */
function fieldTimeOf(at: number): string {
  const date = new Date(at)
  return new Date(at - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

function morning(now: number, daysAhead: number): number {
  const date = new Date(now)
  date.setDate(date.getDate() + daysAhead)
  return date.setHours(9, 0, 0, 0)
}

export function TimeDialog({ title, action, at, onTake, onClose }: TimeProps) {
  const { t, i18n } = useTranslation()
  const [now] = useState(Date.now)
  const [time, setTime] = useState(fieldTimeOf(at ?? now + hourMs))
  const wanted = new Date(time).getTime()
  const isRight = wanted > now && wanted < now + aheadMsMax
  const take = (when: number) => {
    onClose()
    onTake(when)
  }
  const untilMonday = (8 - new Date(now).getDay()) % 7 || 7
  const soon = [
    { words: t('late.scheduled.inAnHour'), at: now + hourMs },
    { words: t('late.scheduled.tomorrow'), at: morning(now, 1) },
    { words: t('late.scheduled.monday'), at: morning(now, untilMonday) },
  ]
  return (
    <Dialog
      title={title}
      onClose={onClose}
      foot={
        <Button isDisabled={!isRight} onPress={() => take(wanted)}>
          {action}
        </Button>
      }
    >
      <ul className="mb-3 grid">
        {soon.map(({ words, at }) => (
          <li key={words}>
            <button
              type="button"
              onClick={() => take(at)}
              className="flex min-h-11 w-full items-center justify-between gap-4 rounded-medium px-2 text-start hover:bg-hover"
            >
              {words}
              <span className="text-small text-soft">{briefTimeOf(at, i18n.language)}</span>
            </button>
          </li>
        ))}
      </ul>
      <label className="grid gap-1 text-small font-medium">
        {t('late.scheduled.time')}
        <input
          type="datetime-local"
          value={time}
          min={fieldTimeOf(now)}
          onChange={event => setTime(event.target.value)}
          className="min-h-10 rounded-medium border border-line-strong bg-canvas px-3 text-field font-normal"
        />
      </label>
      {!isRight && (
        <p role="alert" className="mt-1 text-small text-danger">
          {t('late.scheduled.past')}
        </p>
      )}
    </Dialog>
  )
}
