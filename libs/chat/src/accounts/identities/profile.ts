/** Who somebody is at a provider. */
import { checkEmail, isEmail } from '../../text/email.ts'

export interface Profile {
  /** With the subject the key of an identity: an address can change hands, this pair cannot. */
  readonly issuer: string
  readonly subject: string
  /** What the person is called there. */
  readonly name: string
  /** What they sign in with there, or nothing. */
  readonly username: string
  /**
   * Only an address of which the provider says that the person has verified it, and only of a provider that this deployment
   * believes. Any other address counts as none.
   */
  readonly email?: string | undefined
}

/**
 * The address of a profile where it can be compared. Beyond ASCII servers do not agree about which letters are the same,
 * and an account would open to whoever owns the look-alike.
 */
export function comparableEmail(profile: Profile): string | undefined {
  const { email } = profile
  return email !== undefined && /^[\x21-\x7e]+$/.test(email) && isEmail(email) ? checkEmail(email) : undefined
}
