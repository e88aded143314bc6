/** Asks everybody: a question, its answers, and the rules. */
import type { Question } from '@flotilla/sdk'
import { useState } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field } from '../../ui/field.tsx'
import { Switch } from '../../ui/switch.tsx'

/** As the server takes them. */
const limits = { questionLengthMax: 300, optionLengthMax: 100, optionsMin: 2, optionsMax: 12 }

interface PollDialogProps {
  onAsk(question: Omit<Question, 'conversation' | 'thread'>): void
  onClose(): void
}

export function PollDialog({ onAsk, onClose }: PollDialogProps) {
  const { t } = useTranslation()
  const [question, setQuestion] = useState('')
  const [options, setOptions] = useState<readonly string[]>(['', ''])
  const [rules, setRules] = useState({ multiple: false, anonymous: false, final: false })
  const answers = options.map(option => option.trim()).filter(Boolean)
  const isTwice = new Set(answers).size < answers.length
  const isReady = question.trim() !== '' && answers.length >= limits.optionsMin && !isTwice
  const change = (nth: number, value: string) => {
    const next = options.map((option, at) => (at === nth ? value : option))
    // There is always an empty line to go on with.
    setOptions(next.at(-1) !== '' && next.length < limits.optionsMax ? [...next, ''] : next)
  }
  const ask = () => {
    onClose()
    onAsk({
      question: question.trim(),
      options: answers,
      ...(rules.multiple ? { multiple: true } : {}),
      ...(rules.anonymous ? { anonymous: true } : {}),
      ...(rules.final ? { final: true } : {}),
    })
  }
  return (
    <Dialog
      title={t('chat.poll.new')}
      onClose={onClose}
      foot={
        <Button isDisabled={!isReady} onPress={ask}>
          {t('chat.poll.ask')}
        </Button>
      }
    >
      <div className="grid gap-3">
        <Field
          label={t('chat.poll.question')}
          value={question}
          maxLength={limits.questionLengthMax}
          autoFocus
          onChange={setQuestion}
        />
        {options.map((option, nth) => (
          <Field
            key={nth}
            label={t('chat.poll.option', { nth: nth + 1 })}
            value={option}
            maxLength={limits.optionLengthMax}
            onChange={value => change(nth, value)}
          />
        ))}
        {isTwice && (
          <p role="alert" className="text-small text-danger">
            {t('chat.poll.twice')}
          </p>
        )}
        <div>
          <Switch isSelected={rules.multiple} onChange={multiple => setRules({ ...rules, multiple })}>
            {t('chat.poll.multiple')}
          </Switch>
          <Switch isSelected={rules.anonymous} onChange={anonymous => setRules({ ...rules, anonymous })}>
            {t('chat.poll.anonymous')}
          </Switch>
          <Switch isSelected={rules.final} onChange={final => setRules({ ...rules, final })}>
            {t('chat.poll.final')}
          </Switch>
        </div>
      </div>
    </Dialog>
  )
}
