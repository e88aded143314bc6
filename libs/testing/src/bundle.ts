/** What a browser would have to load of a program. */
import { gzipSync } from 'node:zlib'

export async function bundle(
  code: string,
  external: readonly string[] = [],
): Promise<{ modules: string[]; gzipBytes: number }> {
  // When it is asked for: few tests need it.
  const { build } = await import('vite')
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
    build: { write: false, minify: true, rolldownOptions: { input: entry, external: [...external] }, target: 'es2022' },
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
