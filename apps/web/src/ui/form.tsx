/** A form: what was filled in goes on by the names of its fields, and a refusal stands at the field that it is about. */
import { type FormEvent, type ReactNode, useMemo } from 'react'
import { Form as AriaForm } from 'react-aria-components'
import { useTranslation } from '../text/translate.ts'
import { tell } from '../app/failures.ts'
import { Notice } from './notice.tsx'

export type Filled = Readonly<Record<string, string>>

export interface FormProps {
  /** What the last try was refused with. */
  readonly error: unknown
  /** The fields that this form has. */
  readonly fields: readonly string[]
  onSubmit(filled: Filled): void
  readonly children: ReactNode
}

export function Form({ error, fields, onSubmit, children }: FormProps) {
  const { t } = useTranslation()
  const names = fields.join(' ')
  // The same errors are the same object: React Aria would show one again that the person is just mending.
  const told = useMemo(() => tell(t, error, names.split(' ')), [t, error, names])
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const filled = [...new FormData(event.currentTarget)].filter(pair => typeof pair[1] === 'string')
    onSubmit(Object.fromEntries(filled) as Filled)
  }
  return (
    <AriaForm onSubmit={submit} validationErrors={told.fields}>
      <div className="grid gap-4" onInput={mend}>
        {told.form !== undefined && <Notice look="danger">{told.form}</Notice>}
        {children}
      </div>
    </AriaForm>
  )
}

/**
 * What is wrong with a field goes as it is mended. By itself it would go when the field is left, that is, under the pointer of
 * whoever presses the button: it would move away.
 */
function mend({ target }: FormEvent): void {
  if (target instanceof HTMLElement && target.getAttribute('aria-invalid') === 'true')
    target.dispatchEvent(new Event('change'))
}
