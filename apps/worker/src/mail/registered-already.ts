import type { jobs } from '@flotilla/chat'
import type { MailWords } from './page.ts'

export function registeredAlreadyMail(
  mail: Extract<jobs.Mail, { template: 'registered-already' }>,
  name: string,
): MailWords {
  return {
    subject: `You already have an account at ${name}`,
    greeting: `Hello ${mail.username},`,
    lead: `someone tried to register at ${name} with your address, but it already belongs to your account.`,
    facts: [['Username', mail.username]],
    after: [
      'If this was you, sign in instead. If you have forgotten your password, you can reset it there.',
      'If it was not you, ignore this mail: nothing has changed, and nobody was told that you have an account.',
    ],
  }
}
