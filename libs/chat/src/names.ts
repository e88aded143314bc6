/** What people write outside of messages: names (of themselves, a device, a group) and short texts. */
import { limits, Refusal } from '@flotilla/protocol'

/**
 * The name without blanks around it.
 * @throws Refusal field_invalid when nothing is left, when it is too long, or when it holds control characters
 */
export function checkName(text: string, field: string): string {
  const name = text.toWellFormed().trim()
  const refuse = (rule: string) => new Refusal('field_invalid', `${field}: must keep to ${rule}`, { field, rule })
  if (name.length === 0) throw refuse('minLength 1')
  if (name.length > limits.nameLengthMax) throw refuse(`maxLength ${limits.nameLengthMax}`)
  // PostgreSQL takes no U+0000 in a text, and a name with a line break would forge lines in lists and logs.
  if (/\p{Cc}/u.test(name)) throw refuse('no control characters')
  return name
}

/**
 * A short text without blanks around it; it may be empty, and may have lines.
 * @throws Refusal field_invalid when it is too long, or when it holds other control characters
 */
export function checkText(given: string, field: string, lengthMax: number): string {
  const text = given.toWellFormed().replaceAll('\r\n', '\n').trim()
  const refuse = (rule: string) => new Refusal('field_invalid', `${field}: must keep to ${rule}`, { field, rule })
  if (text.length > lengthMax) throw refuse(`maxLength ${lengthMax}`)
  if (/[^\P{Cc}\n]/u.test(text)) throw refuse('no control characters')
  return text
}
