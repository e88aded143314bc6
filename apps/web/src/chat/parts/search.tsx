/** The field that finds something among much. */
import { type KeyboardEvent, useRef } from 'react'
import { useTranslation } from '../../text/translate.ts'
import { Icon } from '../../ui/icon.tsx'

interface SearchProps {
  readonly label: string
  readonly value: string
  readonly autoFocus?: boolean
  readonly isLoading?: boolean
  onChange(value: string): void
  onKeyDown?(event: KeyboardEvent): void
}

export function Search({ label, value, autoFocus = false, onChange, onKeyDown }: SearchProps) {
  const { t } = useTranslation()
  const field = useRef<HTMLInputElement>(null)
  return (
    <div className="relative">
      <Icon
        name="search"
        size={18}
        className="pointer-events-none absolute start-3 top-1/2 -translate-y-1/2 text-soft"
      />
      <input
        ref={field}
        type="search"
        aria-label={label}
        placeholder={label}
        dir="auto"
        autoFocus={autoFocus}
        value={value}
        onChange={event => onChange(event.target.value)}
        onKeyDown={event => {
          if (event.key !== 'Escape' || value === '') return onKeyDown?.(event)
          // Once for what is written, and only then for what the field stands in.
          event.preventDefault()
          event.stopPropagation()
          return onChange('')
        }}
        className="h-10 w-full rounded-full border border-edge bg-sunk ps-9.5 pe-9 text-field text-ink placeholder:text-soft focus:border-focus focus:outline-none [&::-webkit-search-cancel-button]:hidden"
      />
      {value !== '' && (
        <button
          type="button"
          tabIndex={-1}
          aria-label={t('chat.clear')}
          // The field keeps the focus, and a phone its keyboard.
          onPointerDown={event => event.preventDefault()}
          onMouseDown={event => event.preventDefault()}
          onClick={() => {
            onChange('')
            field.current?.focus()
          }}
          className="absolute end-1 top-1 grid size-8 place-items-center rounded-full text-soft hover:bg-hover"
        >
          <Icon name="close" size={16} />
        </button>
      )}
    </div>
  )
}
