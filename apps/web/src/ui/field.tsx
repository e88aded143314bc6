/** A field of a form: its name, what it holds, what it is for, and what is wrong with it, tied together for screen readers. */
import { type ReactNode, useState } from 'react'
import { FieldError, Input, Label, Text, TextArea, TextField, type TextFieldProps } from 'react-aria-components'
import { useTranslation } from '../text/translate.ts'
import { Press } from './press.tsx'

export interface FieldProps extends Omit<TextFieldProps, 'className' | 'children' | 'type' | 'inputMode'> {
  readonly label: string
  readonly hint?: ReactNode
  readonly type?: 'text' | 'email' | 'password' | 'search'
  readonly placeholder?: string
  readonly inputMode?: 'numeric' | 'tel'
  /** More than one line. */
  readonly lines?: number
}

const box =
  'w-full min-w-0 rounded-medium border border-line-strong bg-canvas px-3 py-2 text-field text-ink placeholder:text-soft hover:border-ink data-invalid:border-danger data-disabled:opacity-60'

export function Field({ label, hint, lines, type = 'text', placeholder, inputMode, ...props }: FieldProps) {
  const { t } = useTranslation()
  const [shown, setShown] = useState(false)
  const isSecret = type === 'password'
  return (
    <TextField {...props} type={isSecret && shown ? 'text' : type} className="group grid gap-1">
      <Label className="text-small font-medium text-ink">{label}</Label>
      {lines === undefined ? (
        <div className="relative" dir={isSecret ? 'ltr' : undefined}>
          <Input
            dir={isSecret || type === 'email' ? 'ltr' : 'auto'}
            {...(placeholder !== undefined && { placeholder })}
            {...(inputMode !== undefined && { inputMode })}
            className={`${box} ${isSecret ? 'pe-16' : ''}`}
          />
          {isSecret && (
            <Press
              aria-pressed={shown}
              onPress={() => setShown(!shown)}
              className="absolute inset-y-1 end-1 rounded-small px-2 text-small font-medium text-accent hover:bg-hover"
            >
              {shown ? t('field.hide') : t('field.show')}
            </Press>
          )}
        </div>
      ) : (
        <TextArea
          dir="auto"
          rows={lines}
          {...(placeholder !== undefined && { placeholder })}
          className={`${box} resize-y`}
        />
      )}
      {hint !== undefined && (
        <Text slot="description" className="text-small text-soft group-data-invalid:hidden">
          {hint}
        </Text>
      )}
      <FieldError className="text-small font-medium text-danger" />
    </TextField>
  )
}
