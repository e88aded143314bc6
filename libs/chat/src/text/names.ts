/** What people write outside of messages: names (of themselves, a device, a group) and short texts. */
import { flawOfLine, isWellFormed, lengthOf, limits, Refusal, wellFormedRule } from '@flotilla/protocol'

const refuse = (field: string, rule: string) =>
  new Refusal('field_invalid', `${field}: invalid (${rule})`, { field, rule })

/**
 * The name without blanks around it.
 * @throws Refusal field_invalid when nothing of it can be seen, when it is too long, or when it holds control characters
 */
export function checkName(text: string, field: string): string {
  const name = text.trim()
  const rule = flawOfLine(name, limits.nameLengthMax)
  if (rule !== undefined) throw refuse(field, rule)
  return name
}

/**
 * A short text without blanks around it; it may be empty, and may have lines.
 * @throws Refusal field_invalid when it is too long, or when it holds other control characters
 */
export function checkText(given: string, field: string, lengthMax: number): string {
  const text = given.replaceAll('\r\n', '\n').trim()
  if (lengthOf(text) > lengthMax) throw refuse(field, `maxLength ${lengthMax}`)
  if (/[^\P{Cc}\n]/u.test(text)) throw refuse(field, 'no control characters')
  if (!isWellFormed(text)) throw refuse(field, wellFormedRule)
  return text
}
