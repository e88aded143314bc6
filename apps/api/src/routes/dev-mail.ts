/**
 * The development inbox: what would have been mailed and pushed, for whoever tries things out. Everybody who reads it reads
 * everybody's codes. So these routes exist only where an inbox is given, which no deployment does; and since a proxy on the
 * same machine makes everybody a caller from this machine, they answer only whoever knows the key that the start has printed.
 */
import type { FastifyInstance } from 'fastify'
import { createHash, timingSafeEqual } from 'node:crypto'
import { Refusal } from '@flotilla/protocol'
import { always, Uuid } from '@flotilla/protocol/schemas'
import { type Static, Type } from 'typebox'
import { refusals } from '../http/refusals.ts'

/** A mail, or a push as if it were one. */
export interface DevMail {
  readonly id: string
  /** Milliseconds since 1970. */
  readonly at: number
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html: string
}

/** Where a worker in the same process puts its mails. */
export interface DevInbox {
  /** What its URL ends with, `?key=…`. */
  readonly key: string
  /** The latest first. */
  list(): readonly DevMail[]
}

/** What this machine calls itself. */
const ownNames = /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/

/** What proxies write, and no browser: whoever sends one of these is not at this machine. */
const forwarding = /^(forwarded|via|x-forwarded(-.*)?|x-real-ip|x-client-ip|true-client-ip|cf-connecting-ip)$/

const closed = { additionalProperties: false }
const Key = Type.Object({ key: Type.Optional(Type.String({ maxLength: 100 })) }, closed)
const hash = (text: string) => createHash('sha256').update(text).digest()
const MailParams = Type.Object({ id: Uuid }, closed)
const DevMailSchema = Type.Object(
  {
    id: Uuid,
    at: Type.Integer(),
    to: Type.String(),
    subject: Type.String(),
    text: Type.String(),
    html: Type.String(),
  },
  closed,
)

const page = { description: 'A page.', content: { 'text/html': { schema: Type.String() } } }
const hidden = { hide: true }
const refused = refusals([...always, 'route_unknown'])

/** No script runs in either. What a mail holds is shown in a frame that is nobody's origin. */
const pagePolicy = `default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; frame-ancestors 'none'`
const mailPolicy = `sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'`

export function devMailRoutes(app: FastifyInstance, inbox: DevInbox): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store')
    // A foreign page whose name was made to lead here is of another origin to its browser, and would read all of it.
    if (!ownNames.test(request.hostname) || Object.keys(request.headers).some(name => forwarding.test(name)))
      throw new Refusal('route_unknown', 'this page is available on this machine only')
    const { key = '' } = request.query as { key?: unknown }
    if (!timingSafeEqual(hash(String(key)), hash(inbox.key)))
      throw new Refusal('route_unknown', 'the URL of this page ends with the key printed at startup')
  })
  const query = `?key=${encodeURIComponent(inbox.key)}`
  const find = (id: string) => {
    const mail = inbox.list().find(one => one.id === id)
    if (mail === undefined) throw new Refusal('route_unknown', 'no such mail')
    return mail
  }

  app.get(
    '/dev/mail',
    { schema: { ...hidden, querystring: Key, response: { 200: page, ...refused } } },
    async (_request, reply) =>
      reply
        .header('content-security-policy', pagePolicy)
        .type('text/html; charset=utf-8')
        .send(listPage(inbox.list(), query)),
  )

  app.get(
    '/dev/mail.json',
    {
      schema: {
        ...hidden,
        querystring: Key,
        response: { 200: Type.Immutable(Type.Array(DevMailSchema)), ...refused },
      },
    },
    async () => inbox.list(),
  )

  app.get<{ Params: Static<typeof MailParams> }>(
    '/dev/mail/:id',
    {
      schema: {
        ...hidden,
        params: MailParams,
        querystring: Key,
        response: { 200: page, ...refused },
      },
    },
    async (request, reply) =>
      reply
        .header('content-security-policy', pagePolicy)
        .type('text/html; charset=utf-8')
        .send(mailPage(find(request.params.id), query)),
  )

  app.get<{ Params: Static<typeof MailParams> }>(
    '/dev/mail/:id/html',
    {
      schema: {
        ...hidden,
        params: MailParams,
        querystring: Key,
        response: { 200: page, ...refused },
      },
    },
    async (request, reply) =>
      reply
        .header('content-security-policy', mailPolicy)
        .type('text/html; charset=utf-8')
        .send(find(request.params.id).html),
  )
}

const escapeHtml = (text: string) => text.replaceAll(/[&<>"']/g, character => `&#${character.codePointAt(0)};`)

const frame = (title: string, body: string, head = '') => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(title)}</title>${head}
<style>body{font:16px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}table{border-collapse:collapse;width:100%}
td{padding:.3em 1em .3em 0;vertical-align:top}pre{white-space:pre-wrap;background:#f4f4f4;padding:1em}
iframe{width:100%;height:32em;border:1px solid #ccc}</style></head><body>
${body}
</body></html>
`

const timeOf = (mail: DevMail) => new Date(mail.at).toISOString().replace('T', ' ').slice(0, 19)

function listPage(mails: readonly DevMail[], query: string): string {
  const rows = mails.map(
    mail =>
      `<tr><td>${timeOf(mail)}</td><td>${escapeHtml(mail.to)}</td><td><a href="/dev/mail/${mail.id}${query}">${escapeHtml(mail.subject)}</a></td></tr>`,
  )
  const body = mails.length === 0 ? '<p>Nothing yet.</p>' : `<table>${rows.join('\n')}</table>`
  const note = 'What would have been sent by mail or pushed. It is kept in memory only, the latest 200.'
  return frame('Mail', `<h1>Mail</h1><p>${note}</p>${body}`, '<meta http-equiv="refresh" content="5">')
}

function mailPage(mail: DevMail, query: string): string {
  const head = `<p><a href="/dev/mail${query}">All mail</a></p><h1>${escapeHtml(mail.subject)}</h1>`
  const facts = `<p>${timeOf(mail)} to ${escapeHtml(mail.to)}</p>`
  const text = `<h2>Text</h2><pre>${escapeHtml(mail.text)}</pre>`
  const html = `<h2>HTML</h2><iframe sandbox title="HTML" src="/dev/mail/${mail.id}/html${query}"></iframe>`
  return frame(mail.subject, head + facts + text + (mail.html === '' ? '' : html))
}
