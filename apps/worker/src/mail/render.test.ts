import type { jobs } from '@flotilla/chat'
import { expect, test } from 'vitest'
import { renderMail } from './render.ts'

const code: jobs.Mail = { template: 'code', purpose: 'sign-in', code: '123456', lifeMs: 600_000 }
const notice: jobs.Mail = {
  template: 'security-notice',
  username: 'alice',
  kind: 'password_changed',
  at: Date.UTC(2026, 0, 2, 3, 4, 5),
  address: '192.0.2.7',
  country: 'NL',
  agent: 'Firefox',
}

test('a code stands in both parts, with what it is for and how long it is good, and not in the subject', () => {
  const { subject, text, html } = renderMail(code, 'Harbour')
  expect(subject).toBe('Your code for Harbour')
  for (const part of [text, html]) {
    expect(part).toContain('123456')
    expect(part).toContain('Enter this code at Harbour to sign in')
    expect(part).toContain('expires in 10 minutes')
  }
})

test.each<jobs.CodePurpose>([
  'register',
  'sign-in',
  'reset-password',
  'change-email',
  'second-factor',
  'reauthenticate',
])('a code to %s says so in words of its own', purpose => {
  const others = (
    ['register', 'sign-in', 'reset-password', 'change-email', 'second-factor', 'reauthenticate'] as const
  ).filter(one => one !== purpose)
  const lead = (one: jobs.CodePurpose) => renderMail({ ...code, purpose: one }, 'Harbour').text.split('\n')[0]
  expect(others.map(lead)).not.toContain(lead(purpose))
})

test('who registers twice hears it without being told anything new', () => {
  const { text } = renderMail({ template: 'registered-already', username: 'alice' }, 'Harbour')
  expect(text).toContain('Username: alice')
})

test('a notice says what happened, when and from where; what is not known is left out', () => {
  const { text } = renderMail(notice, 'Harbour')
  expect(text).toContain('The password of your account was changed.')
  expect(text).toContain('When: Fri, 02 Jan 2026 03:04:05 GMT')
  expect(text).toContain('IP address: 192.0.2.7\nCountry: NL\nApp: Firefox')
  expect(renderMail({ ...notice, country: '', agent: '' }, 'Harbour').text).not.toMatch(/Country|App:/)
  expect(renderMail({ ...notice, kind: 'something_new' }, 'Harbour').text).toContain(
    'The security of your account changed.',
  )
})

test('what was gathered is told in one mail, the first of it in full and of the rest how much there is', () => {
  const { at, address, country, agent } = notice as Extract<jobs.Mail, { template: 'security-notice' }>
  const event = { kind: 'totp_disabled', at, address, country, agent, detail: {} } as const
  const several = renderMail(
    { ...notice, events: [event, { ...event, kind: 'data_exported', country: '' }], more: 3 },
    'Harbour',
  )
  expect(several.text).toContain('There was more than one security event on your account.')
  expect(several.text).toContain(
    'Fri, 02 Jan 2026 03:04:05 GMT: Authenticator-app codes were turned off as a second factor. (192.0.2.7, NL, Firefox)',
  )
  expect(several.text).toContain('downloaded. (192.0.2.7, Firefox)\nMore events: 3.')
  expect(renderMail({ ...notice, events: [event], more: 0 }, 'Harbour').text).toContain('turned off as a second factor')
})

test('what strangers wrote breaks neither HTML nor lines', () => {
  const { subject, text, html } = renderMail(
    { ...notice, agent: '<script>alert("1")</script>\r\n\r\nYour password is void: https://evil.example' },
    'A & B <x>\nBcc: all',
  )
  expect(html).not.toMatch(/<script|<x>/)
  expect(html).toContain('&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62;')
  expect(subject).not.toMatch(/[\r\n]/)
  expect(text).toContain('App: <script>alert("1")</script> Your password is void')
})
