/** What a browser would have to load: the SDK alone, without the schemas that only a server needs. */
import { gzipSync } from 'node:zlib'
import { build } from 'vite'
import { expect, test } from 'vitest'

async function bundle(code: string): Promise<{ modules: string[]; gzipBytes: number }> {
  const entry = '\0entry'
  const result = await build({
    configFile: false,
    logLevel: 'silent',
    resolve: { conditions: ['source'] },
    plugins: [
      {
        name: 'entry',
        resolveId: id => (id === entry ? entry : null),
        load: id => (id === entry ? code : null),
      },
    ],
    build: { write: false, minify: true, rolldownOptions: { input: entry }, target: 'es2022' },
  })
  if (!('output' in result)) throw new Error('there is no bundle')
  const chunks = result.output.filter(one => one.type === 'chunk')
  const modules = chunks.flatMap(chunk =>
    Object.entries(chunk.modules)
      .filter(([, module]) => module.renderedLength > 0)
      .map(([id]) => id),
  )
  return { modules, gzipBytes: gzipSync(chunks.map(chunk => chunk.code).join('')).length }
}

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
