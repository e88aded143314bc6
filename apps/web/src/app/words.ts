/** What went wrong, in the reader's words: by the code, since what the server says is for programs. */
import { FlotillaError, type FlotillaErrorCode } from '@flotilla/sdk'
import { spoken, type Texts, type Translate } from '../text/translate.ts'

/** Codes that have a sentence. */
type Known = keyof Texts['errors'] & FlotillaErrorCode

const isKnown = (code: string): code is Known => spoken.get().i18n.exists(`errors.${code}`)
const secondMs = 1_000
const minuteMs = 60_000

/** One sentence of what went wrong. */
export function textOf(t: Translate, thrown: unknown): string {
  if (!(thrown instanceof FlotillaError)) return t('errors.internal')
  const { code, retryMs, rule, until, field } = thrown
  if (code === 'rate_limited' && retryMs !== undefined) return t('errors.wait', { time: duration(retryMs) })
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

function duration(ms: number): string {
  const [unit, unitMs] = ms < minuteMs ? (['second', secondMs] as const) : (['minute', minuteMs] as const)
  const format = new Intl.NumberFormat(spoken.get().i18n.language, { style: 'unit', unit, unitDisplay: 'long' })
  return format.format(Math.ceil(ms / unitMs) || 1)
}
