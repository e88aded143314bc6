/** The page as it is served: at each of its addresses, with its policy, and without a word in the API's place. */
import { afterAll, beforeAll, expect } from 'vitest'
import { inChromium, startWeb, type Web } from '../web.testbed.ts'
import { patterns } from './address.ts'

let web: Web
beforeAll(async () => {
  const started = await startWeb()
  if (started !== undefined) web = started
})
afterAll(() => web?.stop())

inChromium('every address of the page is served, and what is unknown to the API stays so', async () => {
  for (const pattern of patterns) {
    const response = await fetch(web.url + pattern.replaceAll('$', ''))
    expect(response.status, pattern).toBe(200)
    expect(response.headers.get('content-type')).toContain('text/html')
    expect(response.headers.get('content-security-policy')).toContain("require-trusted-types-for 'script'")
    expect(response.headers.get('cache-control')).toBe('no-cache')
    expect(await response.text()).not.toMatch(/<script(?![^>]* src=)|<style|\son\w+=/)
  }
  for (const path of ['/nothing', '/v1/nothing', '/assets/nothing.js', '/assets/..%2f..%2fpackage.json']) {
    const response = await fetch(web.url + path)
    expect(response.status, path).toBe(404)
    expect(await response.json()).toMatchObject({ error: { code: 'route_unknown' } })
  }
  const posted = await fetch(`${web.url}/signin`, { method: 'POST' })
  expect(posted.status).toBe(405)
})

inChromium(
  'what has a hash in its name is packed and kept for ever, and an unchanged page is not sent again',
  async () => {
    const page = await fetch(web.url)
    const [, script = ''] = /<script[^>]* src="([^"]+)"/.exec(await page.text()) ?? []
    const file = await fetch(web.url + script, { headers: { 'accept-encoding': 'gzip;q=0.5, br;q=0' } })
    expect(file.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect(file.headers.get('content-encoding')).toBe('gzip')
    await file.arrayBuffer()
    const again = await fetch(web.url, { headers: { 'if-none-match': page.headers.get('etag') ?? '' } })
    expect(again.status).toBe(304)
  },
)

inChromium('the worker stands for itself and is looked for anew, and the page can be installed', async () => {
  const worker = await fetch(`${web.url}/worker.js`)
  expect(worker.headers.get('content-type')).toContain('text/javascript')
  expect(worker.headers.get('cache-control')).toBe('no-cache')
  // As a classic script it could import nothing.
  expect(await worker.text()).not.toMatch(/\bimport\b|\bexport\b/)
  const [, path = ''] = /<link rel="manifest" href="([^"]+)"/.exec(await (await fetch(web.url)).text()) ?? []
  const manifest = await fetch(web.url + path)
  expect(manifest.headers.get('content-type')).toContain('application/manifest+json')
  const { icons } = (await manifest.json()) as { readonly icons: readonly { readonly src: string }[] }
  expect(icons.length).toBeGreaterThan(0)
  for (const { src } of icons) expect((await fetch(web.url + src)).headers.get('content-type')).toBe('image/svg+xml')
})
