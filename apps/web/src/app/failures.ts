/** What a refusal says to people: at the field that it is about, or above the form. */
import { FlotillaError, type FlotillaErrorCode } from '@flotilla/sdk'
import { spoken, type Texts, type Translate } from '../text/translate.ts'

export interface Told {
  /** By the name of the field. */
  readonly fields: Readonly<Record<string, string>>
  /** What belongs to no field of this form. */
  readonly form?: string
}

/** Codes that have a sentence. */
type Known = keyof Texts['errors'] & FlotillaErrorCode

/** The field that a code is about, where the refusal does not name one. */
const fieldOf: Readonly<Record<string, string>> = {
  username_taken: 'username',
  password_weak: 'password',
  email_taken: 'email',
  code_invalid: 'code',
  second_factor_invalid: 'code',
  invitation_invalid: 'invitation',
}

const isKnown = (code: string): code is Known => spoken.get().i18n.exists(`errors.${code}`)
const secondMs = 1_000
const minuteMs = 60_000

/** @param fields those that the form has */
export function tell(t: Translate, thrown: unknown, fields: readonly string[] = []): Told {
  if (thrown === null || thrown === undefined) return { fields: {} }
  const text = textOf(t, thrown)
  if (!(thrown instanceof FlotillaError)) return { fields: {}, form: text }
  const field = thrown.field?.split('.')[0] ?? fieldOf[thrown.code]
  return field !== undefined && fields.includes(field) ? { fields: { [field]: text } } : { fields: {}, form: text }
}

/** One sentence of what went wrong. */
export function textOf(t: Translate, thrown: unknown): string {
  if (!(thrown instanceof FlotillaError)) return t('errors.internal')
  const { code, retryMs, rule, until, field } = thrown
  if (code === 'rate_limited' && retryMs !== undefined) return t('errors.wait', { time: duration(t, retryMs) })
  if (code === 'account_suspended' && until !== undefined) return t('errors.suspendedUntil', { until: new Date(until) })
  // Where it is known who somebody is, only the password can be wrong.
  if (code === 'invalid_credentials' && field !== undefined) return t('errors.password_wrong')
  if (code === 'field_invalid') return ruleText(t, rule)
  return isKnown(code) ? t(`errors.${code}`) : t('errors.other', { code })
}

function ruleText(t: Translate, rule = ''): string {
  const [name, number = ''] = rule.split(' ')
  if (name === 'maxLength') return t('errors.tooLong', { count: Number(number) })
  if (name === 'minLength') return t('errors.tooShort', { count: Number(number) })
  return t('errors.field_invalid')
}

function duration(t: Translate, ms: number): string {
  if (ms < minuteMs) return t('errors.seconds', { count: Math.max(1, Math.ceil(ms / secondMs)) })
  return t('errors.minutes', { count: Math.ceil(ms / minuteMs) })
}
