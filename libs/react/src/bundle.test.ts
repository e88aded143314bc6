/** What React bindings add to what a browser loads. */
import { bundle } from '@flotilla/testing'
import { expect, test } from 'vitest'

test('the hooks add little to the client and its state', async () => {
  const used = `
    import { createClient } from '@flotilla/sdk'
    import { createChatState } from '@flotilla/sdk/state'
    globalThis.app = { createClient, createChatState }`
  const react = ['react', 'react/jsx-runtime']
  const before = await bundle(used, react)
  const after = await bundle(
    `${used}
    import * as hooks from '${import.meta.dirname}/index.ts'
    globalThis.hooks = { ...hooks }`,
    react,
  )
  expect(after.modules.some(id => id.includes('/react/src/hooks'))).toBe(true)
  expect(after.gzipBytes - before.gzipBytes).toBeLessThan(4_000)
})
