/** One of several, which unfold: by the system's own list, which phones and screen readers know best. */
import { useId } from 'react'

export interface SelectProps<T extends string> {
  readonly label: string
  readonly value: T
  readonly options: readonly { readonly value: T; readonly text: string }[]
  readonly hint?: string
  readonly isDisabled?: boolean
  onChange(value: T): void
}

export function Select<T extends string>({ label, value, options, hint, isDisabled, onChange }: SelectProps<T>) {
  const id = useId()
  return (
    <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1">
      <div className="grid min-w-28 flex-1">
        <label htmlFor={id}>{label}</label>
        {hint !== undefined && (
          <span id={`${id}-hint`} className="text-small text-soft">
            {hint}
          </span>
        )}
      </div>
      <select
        id={id}
        value={value}
        disabled={isDisabled}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={event => onChange(event.target.value as T)}
        className="min-h-10 max-w-full rounded-medium border border-line-strong bg-canvas px-3 py-1.5 text-field text-ink hover:border-ink disabled:opacity-60"
      >
        {options.map(one => (
          <option key={one.value} value={one.value}>
            {one.text}
          </option>
        ))}
      </select>
    </div>
  )
}
