/** What may be chosen in a menu. */
import type { IconName } from '../../ui/icon.tsx'

export interface Choice {
  readonly id: string
  readonly label: string
  readonly icon?: IconName
  readonly isDanger?: boolean
  /** A line above it. */
  readonly startsGroup?: boolean
  act(): void
}

/** Those that there are: what cannot be done now is left out where a menu is made. */
export const choices = (...all: readonly (Choice | false)[]): readonly Choice[] => all.filter(one => one !== false)

export interface ChoicesProps {
  readonly label: string
  readonly choices: readonly Choice[]
  onClose(): void
}
