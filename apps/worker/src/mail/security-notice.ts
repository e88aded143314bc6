import type { jobs, security } from '@flotilla/chat'
import type { MailWords } from './page.ts'

/** What happened, as a sentence. */
const happened: Readonly<Partial<Record<security.SecurityEventKind, string>>> = {
  registered: 'Your account was created.',
  signed_in: 'Someone signed in to your account from a new app or place, or after many failed attempts.',
  sign_in_failed: 'Someone tried many times to sign in to your account and failed.',
  second_factor_failed: 'Someone passed the first sign-in step but failed the second.',
  signed_out: 'You signed out.',
  session_revoked: 'A session of your account was ended.',
  refresh_token_reused:
    'A session of your account was used from two places at once, as if it had been copied. It was ended.',
  password_set: 'A password was set for your account.',
  password_changed: 'The password of your account was changed.',
  password_reset: 'The password of your account was reset with a code, and all other sessions were ended.',
  email_changed: 'The email address of your account was changed.',
  email_removed: 'The email address of your account was removed.',
  username_changed: 'The username of your account was changed.',
  totp_enabled: 'Authenticator-app codes were turned on as a second factor.',
  totp_disabled: 'Authenticator-app codes were turned off as a second factor.',
  email_factor_enabled: 'Email codes were turned on as a second factor.',
  email_factor_disabled: 'Email codes were turned off as a second factor.',
  recovery_codes_created: 'New recovery codes were created for your account. The old ones no longer work.',
  recovery_code_used: 'A recovery code was used to sign in to your account.',
  passkey_added: 'A passkey was added to your account.',
  passkey_removed: 'A passkey was removed from your account.',
  identity_linked: 'A sign-in provider was linked to your account.',
  identity_unlinked: 'A sign-in provider was unlinked from your account.',
  deletion_requested: 'The deletion of your account was requested. Until it is due, you can sign in and cancel it.',
  deletion_cancelled: 'Your account will not be deleted.',
  data_exported: 'A copy of all the data in your account was downloaded.',
  suspended: 'Your account was suspended: nobody can sign in to it.',
  suspension_lifted: 'Your account is no longer suspended: you can sign in again.',
  signed_out_by_operator: 'All sessions of your account were ended.',
  message_removed: 'A message you wrote was removed.',
}

type Notice = Extract<jobs.Mail, { template: 'security-notice' }>

const sentenceOf = (kind: string) =>
  happened[kind as security.SecurityEventKind] ?? 'The security of your account changed.'

const timeOf = (at: number | string) => new Date(at).toUTCString()

/** From where, by what and why, in brackets; nothing where none is known. */
function placeOf({
  address,
  country,
  agent,
  detail,
}: Pick<Notice, 'address' | 'country' | 'agent' | 'detail'>): string {
  const known = [address, country, agent, detail?.['reason'] ?? ''].filter(one => one !== '')
  return known.length === 0 ? '' : `(${known.join(', ')})`
}

/** What those did who run the deployment: nothing that the person could undo. */
const byOperators: ReadonlySet<string> = new Set<security.SecurityEventKind>([
  'suspended',
  'suspension_lifted',
  'signed_out_by_operator',
  'message_removed',
])

const afterOf = (kinds: readonly string[], name: string) =>
  kinds.every(kind => byOperators.has(kind))
    ? [`This was done by the operators of ${name}. If you think it was a mistake, contact them.`]
    : [
        'If this was you, there is nothing to do.',
        'If it was not you, sign in, change your password and end the sessions you do not recognize.',
      ]

export function securityNoticeMail(mail: Notice & Partial<security.GatheredEvents>, name: string): MailWords {
  const { events = [], more = 0 } = mail
  const kinds = (events.length === 0 ? [mail] : events).map(one => one.kind)
  const head = {
    subject: `Security notice for your ${name} account`,
    greeting: `Hello ${mail.username},`,
    after: afterOf(kinds, name),
  }
  if (events.length > 1)
    return {
      ...head,
      lead: 'There was more than one security event on your account.',
      facts: [
        ...events.map(one => [timeOf(one.at), `${sentenceOf(one.kind)} ${placeOf(one)}`.trim()] as const),
        ...(more === 0 ? [] : [['More events', `${more}. The app lists them all.`] as const]),
      ],
    }
  const [only = mail] = events
  return { ...head, lead: sentenceOf(only.kind), facts: factsOf(only) }
}

function factsOf({
  at,
  address,
  country,
  agent,
  detail,
}: Pick<Notice, 'at' | 'address' | 'country' | 'agent' | 'detail'>) {
  const { deleteAfter, reason = '', until } = detail ?? {}
  const fact = (label: string, value: string) => (value === '' ? [] : [[label, value] as const])
  return [
    ['When', timeOf(at)] as const,
    ...fact('IP address', address),
    ...fact('Country', country),
    ...fact('App', agent),
    ...fact('Due', deleteAfter === undefined ? '' : timeOf(deleteAfter)),
    ...fact('Until', until === undefined ? '' : timeOf(until)),
    ...fact('Reason', reason),
  ]
}
