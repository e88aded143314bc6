import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { startPage } from './start-page.ts'

const local = { url: 'http://localhost:8080', showsMail: true }

test('the page loads nothing and runs nothing, and its policy lets in its own style alone', () => {
  const { html, policy } = startPage(local)
  expect(html).not.toMatch(/<script|\son\w+=|\sstyle=|<iframe|<form|url\(/i)
  for (const [, to = ''] of html.matchAll(/\s(?:src|href)="([^"]*)"/g))
    expect(to).toMatch(/^(\/[\w./]*|data:image\/.*)$/)
  const styles = [...html.matchAll(/<style>([\s\S]*?)<\/style>/g)].map(([, text = '']) => text)
  expect(styles).toHaveLength(1)
  const hash = createHash('sha256').update(styles[0]!).digest('base64')
  expect(policy).toBe(
    `default-src 'none'; style-src 'sha256-${hash}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  )
})

test('it says how to try it at the URL that people have, and shows mail only where there is any', () => {
  for (const text of ['npm run chat -- --as alice --with bob', 'would have been mailed'])
    expect(startPage(local).html).toContain(text)
  const { html } = startPage({ url: 'https://chat.example', showsMail: false })
  expect(html).toContain('npm run chat -- --url https://chat.example --as bob --with alice')
  expect(html).toContain('const api = &#39;https://chat.example&#39;')
  expect(html).not.toContain('would have been mailed')
  expect(html + startPage(local).html).not.toContain('/dev/mail')
  for (const path of ['/docs', '/v1/openapi.json']) expect(html).toContain(`href="${path}"`)
})
