/**
 * In development there is no SMTP and no push service: what would have been sent is kept here, in memory, to be looked
 * at.
 */
import { randomUUID } from 'node:crypto'
import type { push } from '@flotilla/chat'
import type { Mailer } from './mailer.ts'
import { dataOf, type PushProvider, wordsOf } from './push-provider.ts'

/** A mail, or a push as if it were one. */
export interface DevMail {
  readonly id: string
  readonly at: number
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
}

export interface DevInbox extends Mailer {
  /** The latest first. */
  list(): readonly DevMail[]
  /** Takes the pushes that would have gone through a provider. */
  pushesOf(name: push.Provider, publicName: string): PushProvider
}

const mailsMax = 200

export function createDevInbox(clock: () => number = Date.now): DevInbox {
  const mails: DevMail[] = []
  const keep = (mail: Omit<DevMail, 'at'>) => {
    mails.unshift({ ...mail, at: clock() })
    mails.length = Math.min(mails.length, mailsMax)
  }
  return {
    send: mail => Promise.resolve(keep(mail)),
    list: () => [...mails],
    pushesOf: (name, publicName) => ({
      name,
      circuit: name,
      circuitOf: () => name,
      send({ target, content }) {
        const { title, body } = wordsOf(content, publicName)
        const text = `${title}\n${body}\n\n${JSON.stringify(dataOf(content), null, 2)}`
        const to = `${target.platform} device ${target.device} (${name})`
        const id = randomUUID()
        keep({ id, to, subject: `Push: ${title}`, text, html: '' })
        return Promise.resolve({ answer: 'sent', id })
      },
      close: () => Promise.resolve(),
    }),
    close() {},
  }
}
