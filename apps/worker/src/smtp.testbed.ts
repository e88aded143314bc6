/** For tests: a mail server that takes what it gets, or refuses it as it is told to. */
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import PostalMime, { type Email } from 'postal-mime'
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server'

export interface ArrivedMail {
  readonly from: string
  readonly to: readonly string[]
  readonly email: Email
}

export interface SmtpTestbed {
  readonly port: number
  readonly arrived: readonly ArrivedMail[]
  /** Waits for its clients: end them first. */
  close(): Promise<void>
}

/** @param refuse what it answers to a recipient; undefined when it takes the mail */
export async function startSmtp(
  refuse: () => { readonly code: number; readonly text: string } | undefined = () => undefined,
  port = 0,
): Promise<SmtpTestbed> {
  const arrived: ArrivedMail[] = []
  async function take(stream: SMTPServerDataStream, { envelope }: SMTPServerSession): Promise<void> {
    const { mailFrom, rcptTo } = envelope
    const email = await PostalMime.parse(await text(stream))
    arrived.push({
      from: mailFrom === false ? '' : mailFrom.address,
      to: rcptTo.map(one => one.address),
      email,
    })
  }
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onRcptTo(_address, _session, callback) {
      const refusal = refuse()
      callback(refusal === undefined ? null : Object.assign(new Error(refusal.text), { responseCode: refusal.code }))
    },
    onData(stream, session, answer) {
      void take(stream, session).then(() => answer(), answer)
    },
  })
  server.on('error', () => {})
  await new Promise<void>(resolve => void server.listen(port, '127.0.0.1', resolve))
  return {
    port: (server.server.address() as AddressInfo).port,
    arrived,
    close: () => new Promise(resolve => server.close(() => resolve())),
  }
}
