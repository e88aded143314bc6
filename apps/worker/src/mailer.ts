/** Mail through SMTP. What goes wrong is either for now or for good, and is said without the address it went to. */
import { createTransport, type NodemailerError } from 'nodemailer'
import type { RenderedMail } from './mail/page.ts'

export interface OutgoingMail extends RenderedMail {
  /** Of the job: a repeated mail carries the same Message-ID, so that it can be recognised. */
  readonly id: string
  readonly to: string
}

export interface Mailer {
  /** @throws MailFailed */
  send(mail: OutgoingMail): Promise<void>
  close(): void
}

export class MailFailed extends Error {
  override readonly name = 'MailFailed'
  /** It would fail the next time too. */
  readonly forGood: boolean

  constructor(message: string, forGood: boolean, options?: ErrorOptions) {
    super(message, options)
    this.forGood = forGood
  }
}

export interface SmtpOptions {
  /** `smtps://user:password@host:port`, with nodemailer's options as a query. */
  readonly url: string
  /** `Flotilla <noreply@example.org>` */
  readonly from: string
  readonly connectionsMax: number
  /** What one mail may take, from the connection to the last answer. */
  readonly mailMsMax: number
}

const stepMsMax = 10_000

export function createSmtpMailer(options: SmtpOptions): Mailer {
  const domain = /@([^\s<>@]+)>?\s*$/.exec(options.from)?.[1]
  if (domain === undefined) throw new Error('unable to send mail: MAIL_FROM contains no address')
  const transport = createTransport({
    url: options.url,
    pool: true,
    maxConnections: options.connectionsMax,
    // The store repeats, with back-off and a count; the library must not do so as well.
    maxRequeues: 0,
    connectionTimeout: stepMsMax,
    greetingTimeout: stepMsMax,
    dnsTimeout: stepMsMax,
    socketTimeout: stepMsMax,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return {
    async send(mail) {
      try {
        await transport.sendMail({
          from: options.from,
          // As an object: in a text, a comma would make two recipients of one.
          to: { name: '', address: mail.to },
          subject: mail.subject,
          text: mail.text,
          html: mail.html,
          messageId: `<${mail.id}@${domain}>`,
          headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
          signal: AbortSignal.timeout(options.mailMsMax),
        })
      } catch (error) {
        throw explain(error as NodemailerError)
      }
    },
    close: () => transport.close(),
  }
}

/** For good is only what the server says about this mail. That it refuses our credentials, an operator will see to. */
function explain(error: NodemailerError): MailFailed {
  const { code, originalCode, responseCode, command } = error
  const aboutMail = code === 'EENVELOPE' || code === 'EMESSAGE'
  const forGood = aboutMail && (error.permanent === true || responseCode === undefined)
  const parts = [code, originalCode, responseCode, command].filter(part => part !== undefined)
  return new MailFailed(`unable to send a mail: ${parts.join(' ') || error.name}`, forGood)
}
