import { randomUUID } from 'node:crypto'
import { afterEach, expect, test } from 'vitest'
import { createFixture, type Fixture } from './api.testbed.ts'
import type { DevMail } from './routes/dev-mail.ts'

const key = 'the-key'
const fixtures: Fixture[] = []
afterEach(async () => {
  for (const { app } of fixtures.splice(0)) await app.close()
})

const mail = (more: Partial<DevMail> = {}): DevMail => ({
  id: randomUUID(),
  at: Date.UTC(2026, 0, 2, 3, 4, 5),
  to: 'alice@example.org',
  subject: 'Your code',
  text: 'The code is 123456',
  html: '<p>The code is <b>123456</b></p>',
  ...more,
})

function open(mails: readonly DevMail[]): Fixture {
  const fixture = createFixture({ devInbox: { list: () => mails, key } })
  fixtures.push(fixture)
  return fixture
}

test('without an inbox there is no such page', async () => {
  const fixture = createFixture()
  fixtures.push(fixture)
  for (const path of ['/dev/mail', '/dev/mail.json', `/dev/mail/${randomUUID()}`])
    expect((await fixture.call(`GET ${path}`)).status).toBe(404)
})

test('mails are listed and shown, as pages and as JSON, and never cached', async () => {
  const one = mail()
  const { call } = open([one, mail({ to: 'bob@example.org' })])
  const list = await call(`GET /dev/mail?key=${key}`)
  expect(list.status).toBe(200)
  expect(list.headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' })
  expect(list.body).toContain('bob@example.org')
  expect(list.body).toContain(`href="/dev/mail/${one.id}?key=${key}"`)
  expect((await call(`GET /dev/mail.json?key=${key}`)).body[0]).toEqual(one)
  const shown = await call(`GET /dev/mail/${one.id}?key=${key}`)
  expect(shown.body).toContain('The code is 123456')
  expect(shown.body).toContain(`<iframe sandbox title="HTML" src="/dev/mail/${one.id}/html?key=${key}">`)
  expect((await call(`GET /dev/mail/${one.id}/html?key=${key}`)).body).toBe(one.html)
})

test('a page whose name was made to lead here reads nothing', async () => {
  const { call } = open([mail()])
  for (const path of ['/dev/mail', '/dev/mail.json']) {
    const answer = await call(`GET ${path}?key=${key}`, { headers: { host: 'rebound.example.org:8080' } })
    expect(answer.status).toBe(404)
    expect(JSON.stringify(answer.body)).not.toContain('123456')
  }
  for (const host of ['localhost:8080', '127.0.0.1:8080', '[::1]:8080'])
    expect((await call(`GET /dev/mail.json?key=${key}`, { headers: { host } })).status).toBe(200)
})

test('behind a proxy on the same machine nobody reads it: without the key, or with what proxies write', async () => {
  const one = mail()
  const { call } = open([one])
  for (const path of ['/dev/mail', '/dev/mail.json', `/dev/mail/${one.id}`, `/dev/mail/${one.id}/html`]) {
    for (const query of ['', '?key=', '?key=another', '?key=the-key-and-more'])
      expect((await call(`GET ${path}${query}`)).status, path + query).toBe(404)
    for (const header of ['x-forwarded-for', 'x-forwarded-proto', 'forwarded', 'via', 'x-real-ip'])
      expect((await call(`GET ${path}?key=${key}`, { headers: { [header]: '127.0.0.1' } })).status, header).toBe(404)
    expect((await call(`GET ${path}?key=${key}`)).status).toBe(200)
  }
})

test('what is in a mail runs nowhere', async () => {
  const script = '<script>alert(1)</script><img src=x onerror="alert(2)">'
  const one = mail({ subject: script, to: script, text: script, html: script })
  const { call } = open([one])
  for (const path of ['/dev/mail', `/dev/mail/${one.id}`]) {
    const answer = await call(`GET ${path}?key=${key}`)
    expect(answer.body).not.toMatch(/<script|<img/)
    expect(answer.headers['content-security-policy']).toMatch(/^default-src 'none'/)
    expect(answer.headers['content-security-policy']).not.toContain('script-src')
  }
  const html = await call(`GET /dev/mail/${one.id}/html?key=${key}`)
  expect(html.headers['content-security-policy']).toMatch(/^sandbox; default-src 'none'/)
  expect(html.headers['x-content-type-options']).toBe('nosniff')
})

test('a mail that is not there is not found', async () => {
  const { call } = open([])
  expect((await call(`GET /dev/mail?key=${key}`)).body).toContain('Nothing yet')
  expect((await call(`GET /dev/mail/${randomUUID()}?key=${key}`)).status).toBe(404)
  expect((await call(`GET /dev/mail/x?key=${key}`)).status).toBe(400)
})

test('the pages are no part of the contract', async () => {
  const { app } = open([])
  await app.ready()
  expect(Object.keys((app.swagger() as { paths: object }).paths).filter(path => path.startsWith('/dev'))).toEqual([])
})
