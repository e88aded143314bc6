/** Addresses of mail. They are kept as typed and compared without case; two that differ in anything else are two. */
import { Refusal } from '@flotilla/protocol'

export const emailLengthMax = 254
const localLengthMax = 64

/**
 * What all servers take without quotes. Quotes, brackets and commas would make one address read like a list of several
 * in a header of a mail.
 */
const pattern = /^[^\s@\p{C}<>()[\]\\,;:"]+@(?:localhost|[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+)$/u

/**
 * A letter that does not come back when its case goes there and back: the dotted İ becomes an i, the Kelvin sign a k. An
 * address with it, of a domain that anybody can buy, would count as that of a stranger, and open their account.
 */
const isLookAlike = (letter: string): boolean => {
  const lower = letter.toLowerCase()
  return lower !== letter && lower.toUpperCase() !== letter
}

export const isEmail = (text: string): boolean =>
  text.length <= emailLengthMax &&
  text.indexOf('@') <= localLengthMax &&
  pattern.test(text) &&
  !Array.from(text).some(isLookAlike)

/**
 * The address without blanks around it.
 * @throws Refusal field_invalid
 */
export function checkEmail(text: string, field = 'email'): string {
  const email = text.trim()
  if (isEmail(email)) return email
  const rule = 'an address of mail'
  throw new Refusal('field_invalid', `${field}: must be ${rule}`, { field, rule })
}
