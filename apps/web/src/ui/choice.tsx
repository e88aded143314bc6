/** One of few, all of them in sight: side by side where they are short, below each other where each needs a sentence. */
import { Label, Radio, RadioGroup } from 'react-aria-components'

export interface ChoiceProps<T extends string> {
  readonly label: string
  readonly value: T
  readonly options: readonly { readonly value: T; readonly text: string; readonly hint?: string }[]
  readonly isDisabled?: boolean
  onChange(value: T): void
}

export function Choice<T extends string>({ label, value, options, isDisabled, onChange }: ChoiceProps<T>) {
  const isLong = options.some(one => one.hint !== undefined)
  return (
    <RadioGroup
      value={value}
      isDisabled={isDisabled ?? false}
      onChange={chosen => onChange(chosen as T)}
      className="grid gap-1.5"
    >
      <Label className="text-small font-medium">{label}</Label>
      <div
        className={isLong ? 'grid gap-2' : 'edged flex flex-wrap gap-1 justify-self-start rounded-medium bg-sunk p-1'}
      >
        {options.map(one => (
          <Radio
            key={one.value}
            value={one.value}
            className={
              isLong
                ? 'group flex cursor-pointer items-start gap-3 rounded-medium border border-line px-3 py-2 hover:bg-hover data-focus-visible:outline-2 data-focus-visible:outline-focus data-selected:border-accent data-selected:bg-accent-soft'
                : 'cursor-pointer rounded-small border border-transparent px-3 py-1.5 text-center text-small max-[399px]:grow font-medium text-soft hover:text-ink data-focus-visible:outline-2 data-focus-visible:outline-focus data-selected:border-line data-selected:bg-raised data-selected:text-ink data-selected:shadow-[0_1px_2px_var(--shade)]'
            }
          >
            {isLong && (
              <span className="mt-0.5 grid size-4.5 shrink-0 place-content-center rounded-full border-2 border-line-strong group-data-selected:border-accent">
                <span className="size-2 rounded-full group-data-selected:bg-accent" />
              </span>
            )}
            <span className="grid">
              <span>{one.text}</span>
              {one.hint !== undefined && <span className="text-small text-soft">{one.hint}</span>}
            </span>
          </Radio>
        ))}
      </div>
    </RadioGroup>
  )
}
