import type { jobs, security } from '@flotilla/chat'
import type { MailWords } from './page.ts'

/** What happened, as a sentence. */
const happened: Readonly<Partial<Record<security.SecurityEventKind, string>>> = {
  registered: 'Your account was made.',
  signed_in: 'Somebody signed in to your account, from a new program or place, or after many failed tries.',
  sign_in_failed: 'Somebody has tried many times to sign in to your account, and failed.',
  second_factor_failed: 'Somebody knew your first factor, but failed at the second one.',
  signed_out: 'You signed out.',
  session_revoked: 'A sign-in of your account was ended.',
  refresh_reused: 'A sign-in of your account was used from two places at once, as if it had been copied. It was ended.',
  password_set: 'A password was set for your account.',
  password_changed: 'The password of your account was changed.',
  password_reset: 'The password of your account was reset by a code, and all other sign-ins were ended.',
  email_changed: 'The address of your account was changed.',
  email_removed: 'The address of your account was removed.',
  username_changed: 'The username of your account was changed.',
  totp_enabled: 'Codes from an app were set up as a second factor.',
  totp_disabled: 'Codes from an app are no longer a second factor of your account.',
  mail_factor_enabled: 'Codes by mail were set up as a second factor.',
  mail_factor_disabled: 'Codes by mail are no longer a second factor of your account.',
  recovery_codes_made: 'New recovery codes were made for your account. The old ones are worth nothing now.',
  recovery_code_used: 'A recovery code was used to sign in to your account.',
  passkey_added: 'A passkey was added to your account.',
  passkey_removed: 'A passkey was removed from your account.',
  identity_linked: 'A sign-in by another provider was linked to your account.',
  identity_unlinked: 'A sign-in by another provider was unlinked from your account.',
  deletion_asked: 'The deletion of your account was asked for. Until it is due, you can sign in and take it back.',
  deletion_cancelled: 'Your account will not be deleted.',
  exported: 'A copy of everything that your account holds was taken.',
  suspended: 'Your account was suspended: nobody can sign in to it.',
  suspension_lifted: 'Your account is no longer suspended: you can sign in again.',
  signed_out_by_operator: 'All sign-ins of your account were ended.',
  message_removed: 'A message that you wrote was removed.',
}

/** What those did who run the deployment: nothing that the person could undo. */
const byOperators: ReadonlySet<string> = new Set<security.SecurityEventKind>([
  'suspended',
  'suspension_lifted',
  'signed_out_by_operator',
  'message_removed',
])

export function securityNoticeMail(mail: Extract<jobs.Mail, { template: 'security-notice' }>, name: string): MailWords {
  const { deleteAfter, reason = '', until } = mail.detail ?? {}
  const fact = (label: string, value: string) => (value === '' ? [] : [[label, value] as const])
  return {
    subject: `Your account at ${name}: a security notice`,
    greeting: `Hello ${mail.username},`,
    lead: happened[mail.kind as security.SecurityEventKind] ?? 'Something about the safety of your account changed.',
    facts: [
      ['When', new Date(mail.at).toUTCString()],
      ...fact('Address', mail.address),
      ...fact('Country', mail.country),
      ...fact('Program', mail.agent),
      ...fact('Due', deleteAfter === undefined ? '' : new Date(deleteAfter).toUTCString()),
      ...fact('Until', until === undefined ? '' : new Date(until).toUTCString()),
      ...fact('Reason', reason),
    ],
    after: byOperators.has(mail.kind)
      ? [`It was done by those who run ${name}. If you think that it is wrong, turn to them.`]
      : [
          'If that was you, there is nothing to do.',
          'If it was not you, sign in, change your password and end the sign-ins that you do not know.',
        ],
  }
}
