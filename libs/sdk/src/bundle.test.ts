/** What a browser would have to load: the SDK alone, without the schemas that only a server needs. */
import { bundle } from '@flotilla/testing'
import { expect, test } from 'vitest'

test('a bundle holds no schema library, no schema, nothing of Node, and stays small', async () => {
  const { modules, gzipBytes } = await bundle(`
    import { createClient, createIndexedDbStore, createSignIn } from '${import.meta.dirname}/index.ts'
    globalThis.app = { createClient, createIndexedDbStore, createSignIn }
  `)
  expect(modules.filter(id => id.includes('typebox'))).toEqual([])
  const ofProtocol = modules.filter(id => id.includes('/protocol/')).map(id => id.replace(/^.*\/protocol\/src\//, ''))
  const light = [
    'body.ts',
    'close-codes.ts',
    'emoji.ts',
    'errors.ts',
    'fold.ts',
    'limits.ts',
    'made-by.ts',
    'text.ts',
    'version.ts',
  ]
  expect(ofProtocol.filter(name => !light.includes(name))).toEqual([])
  expect(ofProtocol).toContain('errors.ts')
  expect(modules.filter(id => /node:|__vite-browser-external/.test(id))).toEqual([])
  // Of it some 2 kB say in words why a client is not connected, 1 kB lets tabs share a store, and
  // as much does the work that a registration may ask for; 2 kB find what lost signals would have told, 1 kB is groups, and
  // 2 kB keep drafts, what was scheduled, and what conversations are to the person the same on all devices; half a kB knows
  // emoji and folds reactions, 1 kB is threads and polls.
  expect(gzipBytes).toBeLessThan(32_000)
})

test('the state adds little, and nothing that needs a schema', async () => {
  // Whoever shows messages has their mark-up (3 kB) anyway.
  const shown = `
    import { createClient, createIndexedDbStore, createSignIn } from '${import.meta.dirname}/index.ts'
    import { foldAll, quoteOf } from '@flotilla/protocol'
    import { parseMarkup, previewText } from '@flotilla/protocol/markup'
    globalThis.app = { createClient, createIndexedDbStore, createSignIn, foldAll, quoteOf, parseMarkup, previewText }`
  const before = await bundle(shown)
  const after = await bundle(`${shown}
    import { createChatState, createIndexedDbArchive } from '${import.meta.dirname}/state.ts'
    globalThis.state = { createChatState, createIndexedDbArchive }`)
  expect(after.modules.filter(id => id.includes('typebox'))).toEqual([])
  expect(after.gzipBytes - before.gzipBytes).toBeLessThan(12 * 1_024)
})
