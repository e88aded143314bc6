/** A mail by its template. A new template is a file beside this one, and a line here. */
import type { jobs } from '@flotilla/chat'
import { codeMail } from './code.ts'
import { type MailWords, type RenderedMail, toPage } from './page.ts'
import { registeredAlreadyMail } from './registered-already.ts'
import { securityNoticeMail } from './security-notice.ts'

type Template = jobs.Mail['template']
type WordsOf<T extends Template> = (mail: Extract<jobs.Mail, { template: T }>, name: string) => MailWords

const templates: { readonly [T in Template]: WordsOf<T> } = {
  code: codeMail,
  'registered-already': registeredAlreadyMail,
  'security-notice': securityNoticeMail,
}

/** @param name of the deployment, as its people know it */
export function renderMail(mail: jobs.Mail, name: string): RenderedMail {
  const words = templates[mail.template] as WordsOf<Template>
  return toPage(words(mail, name), name)
}
