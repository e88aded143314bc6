/** As much of a mail server as it takes to be handed mails, and to count them. */
import { createServer, type Socket } from 'node:net'

export interface MailSink {
  readonly port: number
  /** Every mail, as it came: headers and all. */
  readonly mails: readonly string[]
  close(): Promise<void>
}

/** Listens on the loopback and takes whatever it is given. */
export async function startMailSink(): Promise<MailSink> {
  const mails: string[] = []
  const open = new Set<Socket>()
  const server = createServer(socket => {
    open.add(socket.setEncoding('utf8').on('error', () => {}))
    socket.on('close', () => open.delete(socket))
    socket.write('220 here\r\n')
    let text = ''
    let inMail = false
    socket.on('data', chunk => {
      text += String(chunk)
      for (;;) {
        const end = text.indexOf(inMail ? '\r\n.\r\n' : '\r\n')
        if (end < 0) return
        const said = text.slice(0, end)
        text = text.slice(end + (inMail ? 5 : 2))
        if (inMail) mails.push(said)
        inMail = !inMail && said.toUpperCase() === 'DATA'
        socket.write(inMail ? '354 go on\r\n' : said.toUpperCase() === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n')
      }
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    mails,
    port: typeof address === 'object' && address !== null ? address.port : 0,
    close: () =>
      new Promise<void>(resolve => {
        server.close(() => resolve())
        for (const socket of open) socket.destroy()
      }),
  }
}
