import type { jobs } from '@flotilla/chat'
import type { MailWords } from './page.ts'

export function registeredAlreadyMail(
  mail: Extract<jobs.Mail, { template: 'registered-already' }>,
  name: string,
): MailWords {
  return {
    subject: `You have an account at ${name} already`,
    greeting: `Hello ${mail.username},`,
    lead: `somebody wants to register at ${name} with your address. It belongs to an account already: yours.`,
    facts: [['Username', mail.username]],
    after: [
      'If that was you, sign in instead. If you have forgotten your password, ask there for a new one.',
      'If it was not you, you can ignore this mail: nothing was changed, and nobody was told that you have an account.',
    ],
  }
}
