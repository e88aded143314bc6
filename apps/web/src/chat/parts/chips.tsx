/** One of few that decides what a list shows: small, side by side, with how much waits in each. */
import { useId } from 'react'

interface ChipsProps<T extends string> {
  readonly label: string
  readonly value: T
  readonly options: readonly { readonly value: T; readonly text: string; readonly count?: number }[]
  onChange(value: T): void
}

export function Chips<T extends string>({ label, value, options, onChange }: ChipsProps<T>) {
  const name = useId()
  return (
    <div role="radiogroup" aria-label={label} className="flex shrink-0 gap-1 overflow-x-auto px-3 pb-2">
      {options.map(one => (
        <label
          key={one.value}
          className="relative flex h-7 shrink-0 items-center gap-1.5 rounded-full px-3 text-small text-soft transition-colors hover:bg-hover has-checked:edged has-checked:bg-accent-soft has-checked:font-medium has-checked:text-accent has-focus-visible:outline-2 has-focus-visible:-outline-offset-2 has-focus-visible:outline-focus"
        >
          <input
            type="radio"
            name={name}
            checked={one.value === value}
            onChange={() => onChange(one.value)}
            className="absolute inset-0 appearance-none rounded-full focus-visible:outline-none"
          />
          {one.text}
          {one.count !== undefined && one.count > 0 && <span className="tabular-nums">{one.count}</span>}
        </label>
      ))}
    </div>
  )
}
