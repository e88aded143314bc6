/** What the widget adds to the SDK, in what a page has to load. */
import { bundle } from '@flotilla/testing'
import { expect, test } from 'vitest'

test('the widget adds at most 25 kB to the SDK', async () => {
  const sdk = await bundle(`
    import { createClient, createIndexedDbStore, createSignIn } from '@flotilla/sdk'
    globalThis.app = { createClient, createIndexedDbStore, createSignIn }`)
  const widget = await bundle(`import '${import.meta.dirname}/widget.ts'`)
  expect(widget.modules.filter(id => id.includes('typebox'))).toEqual([])
  expect(widget.modules.some(id => id.endsWith('/embed-widget/src/view.ts'))).toBe(true)
  // The state of a chat and the mark-up that it reads are most of it; the widget's own code is some 5 kB.
  expect(widget.gzipBytes - sdk.gzipBytes).toBeLessThan(25_000)
})
