/**
 * Addresses of mail. One address has many spellings; here it gets one, under which it is kept, compared and counted: NFC,
 * its domain as the mail servers know it (A-labels in small letters), and its case as typed as long as it is ASCII, which
 * the index folds. Nothing goes by the locale of the database.
 */
import { domainToASCII, domainToUnicode } from 'node:url'
import { bytesOf, Refusal } from '@flotilla/protocol'

const emailLengthMax = 254
const localLengthMax = 64

/**
 * The rule of HTML, and letters of other scripts. Quotes, brackets and commas would make one address read like a list of
 * several in a header of a mail.
 */
const localPattern = /^(?:[a-z0-9.!#$%&'*+/=?^_`{|}~-]|[^\p{ASCII}\p{C}\p{Z}\p{Default_Ignorable_Code_Point}])+$/iu
/** What may stand before it is made ASCII: no escapes, no ports. */
const domainPattern = /^(?:[a-z0-9.-]|\P{ASCII})+$/iu
const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
/** Whose last label is digits is a number, not a name. */
const hostPattern = new RegExp(`^(?:localhost|(?:${label}\\.)+(?![0-9]+$)${label})$`)
/** Blanks, and marks that come along when an address is copied out of a text from right to left. */
const around = /^[\s\p{Default_Ignorable_Code_Point}]+|[\s\p{Default_Ignorable_Code_Point}]+$/gu

/** @returns undefined when it is no address */
function spelled(text: string): string | undefined {
  const typed = text.replace(around, '').normalize('NFC')
  const at = typed.lastIndexOf('@')
  const [local, domain] = [typed.slice(0, at), typed.slice(at + 1)]
  if (at < 0 || !localPattern.test(local) || !domainPattern.test(domain)) return undefined
  const host = domainToASCII(domain)
  // Of letters beyond ASCII every database has an opinion of its own about their case.
  const email = `${/^\p{ASCII}+$/u.test(local) ? local : local.toLowerCase().normalize('NFC')}@${host}`
  const fits = bytesOf(local) <= localLengthMax && bytesOf(email) <= emailLengthMax
  return fits && hostPattern.test(host) ? email : undefined
}

export const isEmail = (text: string): boolean => spelled(text) !== undefined

/**
 * The address as it is kept.
 * @throws Refusal field_invalid
 */
export function checkEmail(text: string, field = 'email'): string {
  const email = spelled(text)
  if (email !== undefined) return email
  const rule = 'an email address'
  throw new Refusal('field_invalid', `${field}: must be ${rule}`, { field, rule })
}

/** What two spellings of one address have in common, to compare and to count by; of what is none, the text itself. */
export const emailKey = (text: string): string => (spelled(text) ?? text).toLowerCase()

/** An address as its owner reads it. */
export function shownEmail(email: string): string {
  const at = email.lastIndexOf('@')
  return `${email.slice(0, at + 1)}${domainToUnicode(email.slice(at + 1))}`
}
