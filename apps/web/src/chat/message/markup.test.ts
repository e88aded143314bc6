import { expect, test, vi } from 'vitest'

// Its package names sources that it does not ship.
vi.mock('react-aria-components', () => ({ Button: () => null }))
vi.mock('../../text/translate.ts', () => ({
  useTranslation: () => ({ t: (key: string) => key, i18n: { language: 'en' } }),
}))

import { createElement, Fragment } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { highlight } from './highlight.tsx'
import { isFewEmoji, Markup } from './markup.tsx'

const nobody = () => undefined
const draw = (text: string, named: Parameters<typeof Markup>[0]['named'] = nobody) =>
  renderToStaticMarkup(createElement(Markup, { text, named }))

/** What others have tried: each must come out as text, and lead nowhere but where a link may. */
const attacks = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '"><svg/onload=alert(1)>',
  '</p><iframe srcdoc="<script>alert(1)</script>">',
  '[click](javascript:alert(1))',
  '[click](JaVaScRiPt:alert(1))',
  '[click](java\tscript:alert(1))',
  '[click](data:text/html,<script>alert(1)</script>)',
  '[click](vbscript:msgbox(1))',
  '[click](https://a.example/" onmouseover="alert(1))',
  '[click](//evil.example)',
  '[a](https://bank.example@evil.example)',
  'https://a.example/"><script>alert(1)</script>',
  '`<script>alert(1)</script>`',
  '```html\n<script>alert(1)</script>\n```',
  '```"><script>alert(1)</script>\nx\n```',
  '> <b onclick=alert(1)>x</b>',
  '- <a href="javascript:alert(1)">x</a>',
  '||<img src=x onerror=alert(1)>||',
  '@<script>alert(1)</script>',
  '{{constructor.constructor("alert(1)")()}}',
  '&lt;script&gt;alert(1)&lt;/script&gt;',
  '\u202e<script>alert(1)</script>',
]
const allowedTags = new Set('p,ul,li,span,strong,em,s,code,pre,div,a,bdi,blockquote,button,svg,path'.split(','))

test.each(attacks)('%j is text', attack => {
  const html = draw(attack)
  const tags = [...html.matchAll(/<\/?([a-z0-9]+)((?:[^>"]|"[^"]*")*)>/gi)]
  for (const [, name = '', attributes = ''] of tags) {
    expect(allowedTags.has(name.toLowerCase()), name).toBe(true)
    expect(attributes).not.toMatch(/\son\w+=/i)
  }
  for (const [, url = ''] of html.matchAll(/href="([^"]*)"/g)) expect(url).toMatch(/^(?:https?:\/\/|mailto:|tel:)/)
})

test('a link leaves nothing behind, and says where it leads', () => {
  const html = draw('[the bank](https://evil.example/login)')
  expect(html).toContain('rel="noopener noreferrer"')
  expect(html).toContain('(evil.example)')
  expect(draw('https://a.example/x')).not.toContain('(a.example)')
  // A name whose letters look like others is shown as the network knows it.
  expect(draw('[bank](https://b\u0430nk.example)')).toContain('xn--')
})

test('only those are pointed out whom the message mentions', () => {
  expect(draw('@ann and @bob', name => (name === 'ann' ? 'me' : undefined))).toMatch(/data-mention="me">@ann.*@bob/)
  expect(draw('@bob')).not.toContain('data-mention')
})

test('a spoiler is no text that is read, copied or clicked before it was asked for', () => {
  const html = draw('||https://a.example||')
  expect(html).toMatch(/role="button".*inert/)
})

test('up to three emoji are large', () => {
  expect(isFewEmoji('🎉')).toBe(true)
  expect(isFewEmoji('👍🏽 👨‍👩‍👧 🇩🇪')).toBe(true)
  expect(isFewEmoji('🎉🎉🎉🎉')).toBe(false)
  expect(isFewEmoji('ok 🎉')).toBe(false)
  expect(isFewEmoji('12')).toBe(false)
})

test('colours change no letter of the code', () => {
  const code = 'const a = "<script>" // </script>\n'
  const html = renderToStaticMarkup(createElement(Fragment, null, highlight(code, 'TS')))
  expect(html).toContain('class="text-accent"')
  const text = html
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
  expect(text).toBe(code)
  expect(highlight(code, 'no-such-language')).toBeUndefined()
})
