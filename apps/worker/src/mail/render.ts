/** A mail by its template. A new template is a file beside this one, and a line here. */
import type { jobs, security } from '@flotilla/chat'
import { codeMail } from './code.ts'
import { type MailWords, type RenderedMail, toPage } from './page.ts'
import { registeredAlreadyMail } from './registered-already.ts'
import { securityNoticeMail } from './security-notice.ts'

type Template = jobs.Mail['template']
type WordsOf<T extends Template> = (
  mail: Extract<jobs.Mail, { template: T }> & Partial<security.GatheredEvents>,
  name: string,
) => MailWords

const templates: { readonly [T in Template]: WordsOf<T> } = {
  code: codeMail,
  'registered-already': registeredAlreadyMail,
  'security-notice': securityNoticeMail,
}

/** A mail with what was gathered for it. */
export type WholeMail = jobs.Mail & Partial<security.GatheredEvents>

/** @param name of the deployment, as its people know it */
export function renderMail(mail: WholeMail, name: string): RenderedMail {
  const words = templates[mail.template] as WordsOf<Template>
  return toPage(words(mail, name), name)
}
