import type { jobs } from '@flotilla/chat'
import type { MailWords } from './page.ts'

/** What the code is for, as the end of a sentence. */
const uses: Readonly<Record<jobs.CodePurpose, string>> = {
  register: 'to finish your registration',
  'sign-in': 'to sign in',
  'reset-password': 'to choose a new password',
  'change-email': 'to confirm your new address',
  'second-factor': 'to finish signing in',
  reauthenticate: 'to confirm that it is you',
}

export function codeMail(mail: Extract<jobs.Mail, { template: 'code' }>, name: string): MailWords {
  const minutes = Math.max(1, Math.round(mail.lifeMs / 60_000))
  return {
    // Not in the subject: it would be shown on a locked screen.
    subject: `Your code for ${name}`,
    lead: `Enter this code at ${name} ${uses[mail.purpose]}:`,
    mark: mail.code,
    after: [
      `The code expires in ${minutes === 1 ? 'one minute' : `${minutes} minutes`} and works only where you requested it.`,
      'Do not share it. We will never ask you for it.',
      'If you did not request a code, ignore this mail: nothing happens without it.',
    ],
  }
}
