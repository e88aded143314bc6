/** What a refusal says to people: at the field that it is about, or above the form. */
import { FlotillaError } from '@flotilla/sdk'
import type { Translate } from '../text/translate.ts'
import { textOf } from './words.ts'

export interface Told {
  /** By the name of the field. */
  readonly fields: Readonly<Record<string, string>>
  /** What belongs to no field of this form. */
  readonly form?: string
}

/** The field that a code is about, where the refusal does not name one. */
const fieldOf: Readonly<Record<string, string>> = {
  username_taken: 'username',
  password_weak: 'password',
  email_taken: 'email',
  code_invalid: 'code',
  second_factor_invalid: 'code',
  invitation_invalid: 'invitation',
}

/** @param fields those that the form has */
export function tell(t: Translate, thrown: unknown, fields: readonly string[] = []): Told {
  if (thrown === null || thrown === undefined) return { fields: {} }
  const text = textOf(t, thrown)
  if (!(thrown instanceof FlotillaError)) return { fields: {}, form: text }
  const field = thrown.field?.split('.')[0] ?? fieldOf[thrown.code]
  return field !== undefined && fields.includes(field) ? { fields: { [field]: text } } : { fields: {}, form: text }
}
