/** What a page loads before it shows anything, as a browser gets it. */
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'
import { expect, onTestFinished, test, vi } from 'vitest'

/** JavaScript and CSS together, gzip, for each page as the first one. A figure here only ever goes down. */
const firstLoadKbMax = { signIn: 136, settings: 169, chat: 172 }
const app = fileURLToPath(new URL('..', import.meta.url))

type Output = Extract<Awaited<ReturnType<typeof build>>, { output: unknown }>['output']

/** Every file that a module needs before it can run. */
function needs(output: Output, module: string): Set<string> {
  const chunks = new Map(output.flatMap(one => (one.type === 'chunk' ? [[one.fileName, one] as const] : [])))
  const [first] = [...chunks.values()].filter(one => one.moduleIds.some(id => id.endsWith(module)))
  const found = new Set<string>()
  const take = (name: string) => {
    const chunk = chunks.get(name)
    if (chunk === undefined || found.has(name)) return
    found.add(name)
    for (const css of (chunk as { viteMetadata?: { importedCss: Set<string> } }).viteMetadata?.importedCss ?? [])
      found.add(css)
    for (const other of chunk.imports) take(other)
  }
  take(first?.fileName ?? '')
  expect(found.size, module).toBeGreaterThan(0)
  return found
}

test('each way in loads at most its budget', { timeout: 120_000 }, async () => {
  // As it is served: React is a larger one where tests run.
  vi.stubEnv('NODE_ENV', 'production')
  onTestFinished(() => void vi.unstubAllEnvs())
  const built = (await build({ root: app, logLevel: 'silent', build: { write: false } })) as { output: Output }
  const sizeOf = (name: string) => {
    const file = built.output.find(one => one.fileName === name)
    return gzipSync(file?.type === 'chunk' ? file.code : (file?.source ?? '')).length
  }
  const kbOf = (...modules: string[]) => {
    const names = new Set(modules.flatMap(module => [...needs(built.output, module)]))
    return [...names].reduce((sum, name) => sum + sizeOf(name), 0) / 1_000
  }
  const always = ['/src/main.tsx', '/src/text/en/shell.json']
  const signedIn = [...always, '/src/client.ts']
  const asking = ['/src/app/answers.tsx']
  const loads = {
    signIn: kbOf(...always, ...asking, '/auth/sign-in-page.tsx'),
    chat: kbOf(...signedIn, '/src/text/en/chat.json', '/chat/chat-page.tsx'),
    settings: kbOf(
      ...signedIn,
      ...asking,
      '/src/text/en/settings.json',
      '/settings/settings-page.tsx',
      '/settings/profile-part.tsx',
    ),
  }
  // The words of what is seen later come with that, and never behind it.
  const first = [...signedIn, '/chat/chat-page.tsx'].flatMap(module => [...needs(built.output, module)])
  const early = built.output.filter(one => one.type === 'chunk' && first.includes(one.fileName))
  for (const one of early) expect('code' in one && one.code, one.fileName).not.toMatch(/["'`]late\./)
  for (const page of ['signIn', 'settings', 'chat'] as const)
    expect.soft(loads[page], `${page}: ${loads[page].toFixed(1)} kB`).toBeLessThan(firstLoadKbMax[page])
})
